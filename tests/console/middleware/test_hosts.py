"""A name that is not allowed is answered with the setting that allows it."""

from __future__ import annotations

import logging

import pytest
from django.test import Client

WRONG = {"host": "tidegate.example:8080"}


def test_the_page_names_the_setting_and_what_was_read() -> None:
    answer = Client().get("/agents/", headers=WRONG)
    assert answer.status_code == 400
    said = answer.content.decode()
    assert "does not answer under the name tidegate.example:8080" in said
    assert "ALLOWED_HOSTS" in said


def test_a_script_reads_it_as_a_problem() -> None:
    answer = Client().get("/api/v1/agents", headers=WRONG)
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "host_not_allowed"
    assert "ALLOWED_HOSTS" in answer.json()["detail"]


def test_the_log_has_one_line_without_a_traceback(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    Client().get("/", headers={"host": "evil<b>\u202e"})
    [line] = [r for r in caplog.records if "host" in r.getMessage()]
    assert (line.levelname, line.exc_info) == ("WARNING", None)


def test_what_was_sent_is_shown_and_never_run() -> None:
    said = Client().get("/", headers={"host": "<script>alert(1)</script>"}).content.decode()
    assert "<script>alert" not in said
    assert "&lt;script&gt;alert" in said
