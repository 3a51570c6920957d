from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from accounts.actor import SYSTEM, Actor
from accounts.audit import record
from accounts.models import AuditEvent, User
from console.lib import logs


def write(**changes: object) -> AuditEvent:
    fields = {"actor": SYSTEM, "act": "pause", "object_kind": "rollout", "object_id": 42}
    return record(**{**fields, **changes})  # type: ignore[arg-type]


@pytest.mark.django_db
def test_keeps_request_and_address_of_the_moment() -> None:
    with logs.bind(request_id="req-1", address="127.0.0.9"):
        event = write()
    assert (event.request_id, event.address) == ("req-1", "127.0.0.9")


@pytest.mark.django_db
def test_names_the_token_that_acted() -> None:
    actor = Actor.of(User.objects.create(username="lin"), token_name="ci")
    event = write(actor=actor)
    assert (event.actor_kind, event.actor_name) == ("token", "lin (token ci)")


@pytest.mark.django_db(transaction=True)
def test_refuses_to_write_outside_the_transaction_of_the_act() -> None:
    with pytest.raises(RuntimeError, match="transaction"):
        write()


@pytest.mark.django_db(transaction=True)
def test_falls_with_the_act_it_records() -> None:
    def act() -> None:
        with transaction.atomic():
            write()
            raise ValueError("the act failed")

    with pytest.raises(ValueError, match="the act failed"):
        act()
    assert not AuditEvent.objects.exists()


@pytest.mark.django_db
def test_an_audit_row_is_never_changed() -> None:
    write()
    with pytest.raises(IntegrityError, match="never changed"):
        AuditEvent.objects.update(reason="nothing happened")
