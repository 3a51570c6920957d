"""Readiness target by target: what is counted is what is listed."""

from __future__ import annotations

import pytest

from agents.models import Agent, AgentStatus, ComponentSet, Quarantine
from console.lib.texts import spoken
from rollouts.drafts.finding import BLOCK
from rollouts.drafts.readiness import about, readiness_of, targets_with
from tests.make.agents import make_collector
from tests.make.configs import RUNNABLE, make_version
from tests.make.times import NOW
from tests.rollouts.fleet import Fleet

pytestmark = pytest.mark.django_db


def mixed() -> Fleet:
    """Return six targets: one lacks components, one is offline, one unhealthy, one fresh, one mute."""
    fleet = Fleet(4)
    make_version(text=RUNNABLE)
    for name, components in {"can": ["exporter:debug", "receiver:otlp"], "cannot": []}.items():
        ComponentSet.objects.create(components_hash=name, names=components, at=NOW)
    lacking, offline, ill, mute = fleet.agents
    Agent.objects.update(components_hash="can", capabilities=0x5003)
    Agent.objects.filter(pk=lacking.pk).update(components_hash="cannot")
    AgentStatus.objects.filter(agent=offline).update(connected=False)
    AgentStatus.objects.filter(agent=ill).update(healthy=False)
    Agent.objects.filter(pk=mute.pk).update(capabilities=0x4003)
    fleet.agents.append(make_collector())
    return fleet


def test_each_finding_lists_the_targets_that_it_counts() -> None:
    fleet = mixed()
    rollout = fleet.draft(version=3)
    expected = {
        "components": fleet.agents[0],
        "offline": fleet.agents[1],
        "health": fleet.agents[2],
        "reports": fleet.agents[3],
        "previous_version": fleet.agents[4],
        "components_unknown": fleet.agents[4],
    }
    findings = [f for f in readiness_of(rollout) if f.concern is not None]
    assert {f.check for f in findings} == set(expected)
    for finding in findings:
        listed = list(targets_with(rollout, [finding]).values_list("agent_id", flat=True))
        assert (finding.count, listed) == (1, [expected[finding.check].pk]), finding.check


def test_a_target_knows_every_finding_about_it() -> None:
    fleet = mixed()
    rollout = fleet.draft(version=3)
    findings = readiness_of(rollout)
    [target] = targets_with(rollout, findings).filter(agent=fleet.agents[4])
    assert {f.check for f in about(target, findings)} == {"previous_version", "components_unknown"}


def test_findings_together_list_a_target_once() -> None:
    rollout = mixed().draft(version=3)
    assert targets_with(rollout, readiness_of(rollout)).count() == 5


def test_nothing_blocking_lists_nobody() -> None:
    rollout = Fleet(3).draft()
    blocking = [f for f in readiness_of(rollout) if f.level == BLOCK]
    assert not targets_with(rollout, blocking).exists()


def test_the_draft_keeps_what_its_targets_say() -> None:
    """The preview groups agents, the rollout its targets: both find the same."""
    rollout = mixed().draft(version=3)
    kept = {f["check"]: f["count"] for f in rollout.preview["readiness"]}
    assert kept == {f.check: f.count for f in readiness_of(rollout)}


def test_what_an_agent_runs_may_be_quarantined_for_itself() -> None:
    fleet = Fleet(3)
    for agent in fleet.agents[:2]:
        Quarantine.objects.create(
            agent=agent, config_hash=fleet.v1.config_hash, outcome="by_hand", by="wei", at=NOW
        )
    rollout = fleet.draft()
    shown = {f["check"]: f for f in rollout.preview["readiness"]}["previous_version_kept"]
    assert shown["count"] == 2
    assert spoken(shown["text"]) == (
        "2 agents run a version that is quarantined for themselves; a rollback leaves them alone."
    )
    [found] = [f for f in readiness_of(rollout) if f.check == "previous_version_kept"]
    listed = set(targets_with(rollout, [found]).values_list("agent_id", flat=True))
    assert listed == {agent.pk for agent in fleet.agents[:2]}
