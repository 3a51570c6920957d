from __future__ import annotations

from typing import Any

import pytest

from tests.console.api.contract import assert_as_documented
from tests.console.api.fleet import ROLLOUTS
from tests.console.api.people import by_token
from tests.console.pages.test_said import make_failed

pytestmark = pytest.mark.django_db


def read(text: str, failed: int = 9) -> dict[str, Any]:
    url = f"{ROLLOUTS}/{make_failed(text, failed).pk}/errors"
    return assert_as_documented("rollouts_errors", by_token("viewer").get(url))


def test_what_the_page_shows_is_answered() -> None:
    found = read("processors::batch::send_batch_size: too many")
    assert (found["agents"], found["not_shown"], found["previous_version"]) == (9, 0, 1)
    [group] = found["groups"]
    assert (group["kind"], group["agents"], group["component"]) == ("failed", 9, "processor batch")
    assert group["versions"] == [{"value": "0.146.1", "agents": 9}]
    [place] = group["places"]
    assert place["path"] == ["processors", "batch", "send_batch_size"]
    assert (place["text"], place["before"]["text"]) == (
        "send_batch_size: 200",
        "send_batch_size: 100",
    )
    [cause] = found["apart"]["causes"]
    assert cause["fact"] == {"kind": "label", "key": "version", "value": "0.146.1"}
    assert cause["selector_without"] == "env=prod,version notin (0.146.1)"


def test_no_reason_is_said_to_be_none() -> None:
    [group] = read("")["groups"]
    assert group["gave_no_reason"]
    assert group["places"] == []


def test_nobody_failed() -> None:
    found = read("", failed=0)
    assert (found["agents"], found["groups"]) == (0, [])
    assert found["apart"]["told"] == "no_passing"
