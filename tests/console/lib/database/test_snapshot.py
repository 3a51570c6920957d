"""What is read together is one state of the database, and its time is that of the state."""

from __future__ import annotations

import threading

import pytest
from django.db import connection

from accounts.models import User
from console.lib.database.snapshot import snapshot

pytestmark = pytest.mark.django_db(transaction=True)


def elsewhere(name: str) -> None:
    """Commit a row by a connection of its own."""

    def write() -> None:
        User.objects.create(username=name)
        connection.close()

    thread = threading.Thread(target=write)
    thread.start()
    thread.join()


def test_the_state_is_taken_before_the_first_query_of_the_page() -> None:
    with snapshot():
        elsewhere("late")
        assert not User.objects.filter(username="late").exists()
    assert User.objects.filter(username="late").exists()


def test_who_sees_more_has_a_later_time() -> None:
    with snapshot() as first:
        elsewhere("between")
        with connection.cursor() as cursor:
            cursor.execute("SELECT now(), clock_timestamp()")
            began, later = cursor.fetchone()
    with snapshot() as second:
        assert User.objects.filter(username="between").exists()
    assert began <= first <= later <= second
