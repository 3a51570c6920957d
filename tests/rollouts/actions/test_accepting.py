"""Starting in spite of a finding of preflight."""

from __future__ import annotations

from datetime import timedelta

import pytest

from accounts.models import AuditEvent
from agents.models import Agent, ComponentSet, Quarantine
from console.lib.problems import Denied, Invalid, Refused
from console.lib.texts import spoken
from rollouts.actions.start import start
from rollouts.drafts import config_findings
from rollouts.drafts.accepting import accepted_by, still_blocking
from rollouts.drafts.readiness import readiness_of
from rollouts.models import Event, Rollout
from tests.make.configs import RUNNABLE, make_version
from tests.make.people import make_actor
from tests.make.times import NOW
from tests.rollouts.fleet import Fleet, state_of

pytestmark = pytest.mark.django_db
REPORTS_COMPONENTS = 0x5003


def draft(text: str, reported: list[str] | None = None) -> tuple[Fleet, Rollout]:
    """Return a draft of a version with this text, for three agents whose build has `reported`."""
    fleet = Fleet(3)
    if reported is not None:
        ComponentSet.objects.create(components_hash="h", names=reported, at=NOW)
        Agent.objects.update(components_hash="h", capabilities=REPORTS_COMPONENTS)
    make_version(text=text, author=fleet.author)
    return fleet, fleet.draft(version=3)


def begin(fleet: Fleet, rollout: Rollout, **accept: str) -> Rollout:
    return start(rollout_id=rollout.pk, by=fleet.operator, accept=accept, now=fleet.now)


NO_PIPELINE = "receivers: {otlp: }\nexporters: {debug: }\nservice: {pipelines: {}}\n"
CANNOT_RUN = [
    ("receivers:\nservice:\n", "receivers is empty"),
    (NO_PIPELINE, "There are no pipelines"),
    (RUNNABLE.replace("receivers: [otlp]", "receivers: []"), "has no receivers"),
    (RUNNABLE.replace("exporters: [debug]", "exporters: [x]"), "exporter x, which is not defined"),
    ("processors:\n" + RUNNABLE, "processors is empty"),
]


@pytest.mark.parametrize(("text", "words"), CANNOT_RUN, ids=[words for _, words in CANNOT_RUN])
def test_what_no_collector_can_run_never_starts(text: str, words: str) -> None:
    fleet, rollout = draft(text)
    with pytest.raises(Refused, match=words):
        begin(fleet, rollout)
    with pytest.raises(Invalid, match="config cannot be accepted: mend it"):
        begin(fleet, rollout, config="I know better")
    assert state_of(rollout) == "draft"


def test_a_version_that_was_uploaded_before_we_knew_does_not_start_either() -> None:
    fleet, rollout = draft(NO_PIPELINE)
    assert rollout.version.checks == []
    with pytest.raises(Refused, match="cannot be run"):
        begin(fleet, rollout)


def test_components_that_agents_lack_can_be_accepted_by_name_with_a_reason() -> None:
    fleet, rollout = draft(RUNNABLE, ["receiver:otlp"])
    with pytest.raises(Refused, match="report no exporter:debug"):
        begin(fleet, rollout)
    begin(fleet, rollout, components="the build forgets to list it")
    assert state_of(rollout) == "running"
    event = Event.objects.get(rollout=rollout, act="accept_finding")
    assert (event.actor_name, event.reason) == (fleet.operator.name, "the build forgets to list it")
    assert "report no exporter:debug" in spoken(event.inputs["finding"])
    audited = AuditEvent.objects.get(act="rollouts.accept_finding")
    assert audited.reason == "the build forgets to list it"


def test_an_error_that_a_newer_collector_may_take_can_be_accepted() -> None:
    fleet, rollout = draft(RUNNABLE + "entities: {}\n")
    with pytest.raises(Refused, match="entities is not a section"):
        begin(fleet, rollout)
    begin(fleet, rollout, config_sections="0.170 knows it")
    assert state_of(rollout) == "running"


def test_what_is_accepted_stays_so_while_the_rollout_waits() -> None:
    fleet, rollout = draft(RUNNABLE, [])
    Rollout.objects.filter(pk=rollout.pk).update(start_at=fleet.now + timedelta(seconds=5))
    begin(fleet, rollout, components="the list is wrong")
    assert state_of(rollout) == "scheduled"
    fleet.run_until(lambda: state_of(rollout) == "running")


def test_accepting_one_finding_accepts_no_other() -> None:
    fleet, rollout = draft(RUNNABLE + "entities: {}\n", [])
    with pytest.raises(Refused, match="entities is not a section"):
        begin(fleet, rollout, components="the list is wrong")
    assert not Event.objects.filter(rollout=rollout, act="accept_finding").exists()


@pytest.mark.parametrize(
    ("name", "reason", "words"),
    [
        ("components", " ", "Say why components is accepted"),
        ("components", "x" * 501, "in at most 500 characters"),
        ("compnents", "why", 'found nothing called "compnents".*what can be is components'),
        ("offline", "why", 'found nothing called "offline"'),
    ],
)
def test_only_what_was_found_is_accepted_and_never_without_a_reason(
    name: str, reason: str, words: str
) -> None:
    fleet, rollout = draft(RUNNABLE, [])
    with pytest.raises(Invalid, match=words):
        begin(fleet, rollout, **{name: reason})


def test_a_quarantine_is_lifted_not_accepted() -> None:
    fleet, rollout = draft(RUNNABLE)
    Quarantine.objects.create(
        config_hash=rollout.version.config_hash, outcome="by_hand", by="wei", at=fleet.now
    )
    found = readiness_of(rollout)
    with pytest.raises(Invalid, match="quarantine cannot be accepted"):
        accepted_by(found, {"quarantine": "it is fine"})
    assert [f.check for f in still_blocking(found, ["quarantine"])] == ["quarantine"]


def test_only_who_may_start_accepts() -> None:
    _, rollout = draft(RUNNABLE, [])
    with pytest.raises(Denied):
        start(rollout_id=rollout.pk, by=make_actor("viewer"), accept={"components": "x"})


def test_an_alias_is_not_missing() -> None:
    text = RUNNABLE.replace("debug", "otlphttp")
    fleet, rollout = draft(text, ["receiver:otlp", "exporter:otlp_http"])
    begin(fleet, rollout)
    assert state_of(rollout) == "running"


def test_an_agent_that_stopped_reporting_components_is_not_judged_by_its_old_list() -> None:
    fleet, rollout = draft(RUNNABLE, [])
    Agent.objects.update(capabilities=0x1003)
    begin(fleet, rollout)
    assert state_of(rollout) == "running"


def test_gates_that_lose_their_data_are_named_before_the_start() -> None:
    service = "service: {telemetry: {metrics: {readers: [{pull: {}}]}}, pipelines"
    fleet, rollout = draft(RUNNABLE.replace("service: {pipelines", service))
    (said,) = [f for f in rollout.preview["readiness"] if f["check"] == "config_telemetry"]
    assert said["level"] == "note"
    assert "replace the one that a supervisor adds" in spoken(said["text"])
    assert "Gates that may lose their data: failure_rate." in spoken(said["text"])
    begin(fleet, rollout, config_telemetry="Prometheus scrapes them")
    assert [one["check"] for one in Rollout.objects.get(pk=rollout.pk).accepted] == [
        "config_telemetry"
    ]


def test_a_provider_is_unknown_and_no_obstacle() -> None:
    text = RUNNABLE.replace("receivers: {otlp: }", "receivers: ${file:r.yaml}")
    fleet, rollout = draft(text, ["receiver:otlp", "exporter:debug"])
    assert config_findings.read(rollout.version.config_hash).findings == ()
    begin(fleet, rollout)
    assert state_of(rollout) == "running"
