from __future__ import annotations

import json
import logging

import pytest

from console.lib import logs


def line(message: str, **fields: object) -> logging.LogRecord:
    record = logging.LogRecord("x", logging.INFO, "f", 1, message, None, None)
    vars(record).update(fields)
    return record


def test_a_value_from_an_agent_cannot_start_a_new_line() -> None:
    text = logs.TextFormatter().format(line("agent said", error="a\nERROR fake \x1b[2J"))
    assert "\n" not in text
    assert "\x1b" not in text


def test_bound_fields_are_in_every_json_line() -> None:
    with logs.bind(rollout="R-0042"):
        written = json.loads(logs.JsonFormatter().format(line("tick", agents=3)))
    assert (written["rollout"], written["agents"], written["message"]) == ("R-0042", 3, "tick")


def test_bound_fields_end_with_their_block() -> None:
    with logs.bind(rollout="R-0042"):
        pass
    assert logs.current("rollout") is None


@pytest.mark.parametrize("formatter", [logs.TextFormatter(), logs.JsonFormatter()])
def test_a_secret_in_a_line_is_hidden(formatter: logging.Formatter) -> None:
    said = formatter.format(line("cannot reach app:pw4Me@tcp(db)/x", dsn="password=pw4Me"))
    assert "pw4Me" not in said
    assert "cannot reach app:[REDACTED]@tcp(db)/x" in said
