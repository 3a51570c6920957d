"""Who acted: rows keep a name or a code, pages say it in the reader's language."""

from __future__ import annotations

import pytest
from django.utils import timezone

from accounts.actor import SYSTEM, named
from console.lib.texts import said
from console.words import event_sentences, events
from console.words.actors import who
from rollouts.models import Event


@pytest.mark.parametrize(("name", "shown"), [("lin", "lin"), ("system", "policy"), ("", "policy")])
def test_what_no_person_did_the_policy_did(name: str, shown: str) -> None:
    assert who(name) == shown
    assert said(named(name)) == shown


@pytest.mark.parametrize(
    ("act", "inputs", "shown"),
    [
        ("start_phase", {"members": 2}, "policy"),
        ("fail_phase", {"gate": {"kind": "threshold", "title": "CPU"}}, "guard"),
        ("fail_phase", {"gate": {"kind": "criterion", "title": "CPU"}}, "gate"),
        ("fell_back", {"agents": 1}, "agents"),
    ],
)
def test_a_timeline_never_says_system(act: str, inputs: dict[str, object], shown: str) -> None:
    event = Event(act=act, actor_name=SYSTEM.name, actor_kind=SYSTEM.kind, inputs=inputs)
    event.at = timezone.now()
    assert events.line(event).actor == shown


def test_a_sentence_keeps_the_name_of_a_phase_as_the_plan_writes_it() -> None:
    assert event_sentences.did("skip_phase", "eu-West", {}) == "Eu-West skipped."
    assert event_sentences.did("approval_lapsed", "EU", {}) == "The question about EU lapsed."
    said = event_sentences.did("quarantined", "", {"version": "v3"})
    assert said == "v3 is quarantined for the whole fleet."
