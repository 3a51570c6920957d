"""A column of sentences gives back what it took, whoever wrote it."""

from __future__ import annotations

import pytest

from accounts.actor import SYSTEM
from accounts.audit import record
from accounts.models import AuditEvent
from console.lib.texts import Text, said, text
from tests.make.times import NOW


def kept(reason: Text | str) -> Text | str:
    record(actor=SYSTEM, act="a.b", object_kind="x", object_id=1, reason=reason, at=NOW)
    return AuditEvent.objects.latest("pk").reason


@pytest.mark.django_db
def test_a_text_comes_back_as_the_same_text() -> None:
    what = text("wave.came_back", wave=2, confirmed=3, of=4)
    assert kept(what) == what
    assert said(kept(what)) == "batch 2: 3 of 4 agents came back"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "words",
    ["it hurts", "", "{", '{"text": 1}', '{"text": "no such code"}', '{"text": "why.draft"', "[]"],
)
def test_words_of_people_and_agents_come_back_as_they_were(words: str) -> None:
    assert kept(words) == words


@pytest.mark.django_db
def test_what_is_forged_is_shown_and_breaks_nothing() -> None:
    forged = '{"text": "wave.came_back", "wave": {"text": "wave.outcome", "agents": []}}'
    assert said(kept(forged)).startswith("wave.came_back: wave=wave.outcome")
