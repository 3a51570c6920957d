"""What one act wrote stands together, its reason is said once, and every act has words."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from accounts.models import AuditEvent
from certs.rotation.states import CertificateState
from console.pages.audit.groups import AuditGroup, grouped
from console.words import audit as words
from console.words.event_sentences import WORDINGS

ROOT = Path(__file__).parents[4]
PARTS = ("accounts", "agents", "certs", "rollouts", "console/pages", "console/demo")
NOW = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)
HUMAN, SYSTEM = AuditEvent.ActorKind.HUMAN, AuditEvent.ActorKind.SYSTEM


def row(act: str, **fields: Any) -> AuditEvent:
    known = {"at": NOW, "actor_kind": SYSTEM, "actor_name": "system", "object_kind": "rollout"}
    return AuditEvent(**{**known, "object_id": "2", "act": act, **fields})


def read(*oldest_first: AuditEvent) -> list[AuditGroup]:
    for pk, event in enumerate(oldest_first, 1):
        event.pk = pk
    return grouped(reversed(oldest_first))


def told(group: AuditGroup) -> list[str]:
    return [str(line.does) for line in group.lines]


def test_one_decision_of_the_engine_is_one_group_in_its_order() -> None:
    reason = "19 of 20 refused it"
    acts = ("rollouts.gate_critical", "rollouts.fail_phase", "rollouts.roll_back")
    [group] = read(*(row(act, reason=reason) for act in acts))
    assert told(group) == ["gate failed", "failed a phase", "decided to roll back"]
    assert [line.reason for line in group.lines] == [reason, "", ""]
    assert not group.is_quoted


def test_another_moment_rollout_or_actor_is_another_group() -> None:
    rows = (
        row("rollouts.start_phase"),
        row("rollouts.start_phase", at=NOW + timedelta(milliseconds=1)),
        row("rollouts.start_phase", object_id="3"),
        row("rollouts.pause", actor_name="lin", actor_kind=HUMAN),
    )
    assert len(read(*rows)) == 4


def test_what_one_request_wrote_is_one_group_whenever_it_did() -> None:
    mine: dict[str, Any] = {"actor_kind": HUMAN, "actor_name": "lin", "request_id": "ab12"}
    rows = (
        row("rollouts.draft", **mine),
        row("rollouts.start", at=NOW + timedelta(seconds=2), **mine),
        row("rollouts.pause", **{**mine, "request_id": "cd34"}),
    )
    groups = read(*rows)
    assert [told(group) for group in groups] == [["paused"], ["drafted", "started"]]


def test_one_act_on_many_things_is_one_line_that_names_three() -> None:
    rows = [
        row("agents.restart", object_kind="agent", object_id=str(n), request_id="ab12")
        for n in range(20)
    ]
    [group] = read(*rows)
    [line] = group.lines
    assert (len(line.objects), line.more, group.request_id) == (3, 17, "ab12")


def test_what_a_decision_did_to_a_version_stands_with_it() -> None:
    rows = (
        row("rollouts.roll_back"),
        row("quarantine.add", object_kind="config_hash", object_id="ab"),
        row("rollouts.quarantined"),
    )
    [group] = read(*rows)
    assert told(group) == ["decided to roll back", "quarantined", "quarantined the version"]


def test_phases_to_which_the_same_was_done_are_one_line() -> None:
    [group] = read(
        row("rollouts.fail_phase", details={"phase": "canary"}),
        row("rollouts.skip_phase", details={"phase": "staging"}),
        row("rollouts.skip_phase", details={"phase": "production"}),
    )
    assert [(line.phases, len(line.objects)) for line in group.lines] == [
        (["canary"], 1),
        (["staging", "production"], 1),
    ]


def test_each_reason_of_an_act_is_said_once_where_it_is_first() -> None:
    reasons = ("one", "other", "one", "")
    [group] = read(*(row(f"rollouts.a{n}", reason=r) for n, r in enumerate(reasons)))
    assert [line.reason for line in group.lines] == ["one", "other", "", ""]


def written() -> set[str]:
    """The acts that the source writes to the audit log, as literals or by a verb."""
    found: set[str] = set()
    for part in PARTS:
        for path in (ROOT / part).rglob("*.py"):
            source = path.read_text()
            if "audit.record(" not in source and "record(" not in source:
                continue
            found |= set(re.findall(r'act="([a-z_]+\.[a-z_]+)"', source))
            found |= set(re.findall(r'_record\(\s*"([a-z_.]+)"', source))
            found |= {f"cert.{state.value}" for state in CertificateState}
            found |= set(re.findall(r'"(agents\.[a-z_]+)", reason', source))
            found |= {
                f"{area}.{verb}"
                for area in re.findall(r'act=f"([a-z_]+)\.\{verb\}"', source)
                for verb in ("create", "change", "delete")
            }
    return found


def test_the_source_is_searched_for_all_ways_to_write_an_act() -> None:
    known = {"configs.upload", "login.ok", "logout", "agents.restart", "budgets.delete"}
    assert known <= written()


@pytest.mark.parametrize("act", sorted(written()))
def test_every_act_of_the_source_has_words(act: str) -> None:
    assert act in words.ACTS


@pytest.mark.parametrize("act", sorted(WORDINGS))
def test_every_event_of_a_rollout_or_rollback_has_words(act: str) -> None:
    assert f"rollouts.{act}" in words.ACTS
    assert f"rollbacks.{act}" in words.ACTS


def test_every_kind_of_object_of_the_source_has_words() -> None:
    sources = (path.read_text() for part in PARTS for path in (ROOT / part).rglob("*.py"))
    kinds = {kind for text in sources for kind in re.findall(r'object_kind="([a-z_]+)"', text)}
    assert kinds <= set(words.OBJECTS)


def test_every_act_stands_in_an_area() -> None:
    assert {words.area_of(act) for act in words.ACTS} == set(words.AREAS)


def test_an_act_of_another_version_is_called_by_its_name() -> None:
    assert words.act("moons.land_on") == "moons: land on"
    assert words.kind("far_moon") == "far moon"
