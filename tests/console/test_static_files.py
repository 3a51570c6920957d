"""Static files as the ASGI server sends them. Warnings are errors here, so a streamed file fails."""

from __future__ import annotations

from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.staticfiles import finders
from django.test import AsyncClient

PATH = "/static/js/live.js"


def get(method: str = "get", **headers: str) -> Any:
    async def asked() -> Any:
        return await getattr(AsyncClient(), method)(PATH, headers=headers)

    return async_to_sync(asked)()


@pytest.fixture
def text() -> bytes:
    found = finders.find("js/live.js")
    with open(str(found), "rb") as file:
        return file.read()


def test_a_file_comes_whole_with_its_type(text: bytes) -> None:
    answer = get()
    assert (answer.status_code, answer.streaming, answer.content) == (200, False, text)
    assert answer["Content-Type"].startswith("text/javascript")


def test_a_range_is_only_the_range(text: bytes) -> None:
    answer = get(range="bytes=3-9")
    assert (answer.status_code, answer.content) == (206, text[3:10])


def test_a_head_has_the_length_and_no_body(text: bytes) -> None:
    answer = get("head")
    assert (answer["Content-Length"], answer.content) == (str(len(text)), b"")


def test_what_the_browser_has_is_not_sent_again() -> None:
    answer = get(**{"if-none-match": get()["ETag"]})
    assert (answer.status_code, answer.content) == (304, b"")


def test_nothing_is_written_to_a_file() -> None:
    assert get("post").status_code == 405
