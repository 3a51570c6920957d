"""Previews: who, in what order, who not and why; and that the preview is the plan."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from agents.models import Agent, AgentStatus, ComponentSet, Quarantine
from console.lib.problems import Invalid, Missing
from console.lib.texts import spoken
from rollouts.drafts.preview import Preview, preview
from rollouts.engine.membership import by_stratum, order_key, spread_order
from rollouts.models import Target
from tests.make.agents import make_collector
from tests.make.configs import RUNNABLE, make_version
from tests.make.times import NOW
from tests.rollouts.fleet import CANARY_THEN_ALL, Fleet, state_of

pytestmark = pytest.mark.django_db


def counted(fleet: Fleet, plan: Any = None, **more: Any) -> Preview:
    given = {"config": "edge", "version": 2, "selector": "*", "seed": "s", "now": fleet.now, **more}
    return preview(plan=plan or CANARY_THEN_ALL, **given)


def reasons(found: Preview) -> dict[str, int]:
    return {one.reason.value: one.count for one in found.excluded}


def checks(found: Preview, level: str) -> dict[str, int]:
    return {one.check: one.count for one in found.readiness if one.level == level}


def test_the_order_is_that_of_the_pure_function() -> None:
    fleet = Fleet(40)
    order = sorted(fleet.agents, key=lambda agent: order_key("s", str(agent.instance_uid)))
    found = counted(fleet)
    assert [*found.phases[0].new, *found.phases[1].new] == [agent.pk for agent in order]


def test_the_spread_is_that_of_the_pure_function() -> None:
    fleet = Fleet(0)
    agents = [
        make_collector({"region": region}) for region in ["eu"] * 12 + ["us"] * 6 + ["ap"] * 2
    ]
    agents.sort(key=lambda agent: order_key("s", str(agent.instance_uid)))
    expected = spread_order(
        by_stratum([agent.pk for agent in agents], [agent.labels["region"] for agent in agents])
    )
    found = counted(fleet, spread_label="region")
    assert [*found.phases[0].new, *found.phases[1].new] == expected


def test_the_draft_holds_exactly_the_preview() -> None:
    fleet = Fleet(40, region="eu")
    found = counted(fleet, spread_label="region")
    rollout = fleet.draft(seed="s", spread_label="region")
    for index, phase in enumerate(found.phases):
        targets = Target.objects.filter(rollout=rollout, phase__index=index).order_by("position")
        assert tuple(targets.values_list("agent_id", flat=True)) == phase.new
    assert rollout.preview["digest"] == found.digest


def test_each_exclusion_is_counted_by_its_first_reason() -> None:
    fleet = Fleet(10)
    v2 = fleet.v2.config_hash
    make_collector(capabilities=0x1)
    make_collector(running_hash=v2)
    Quarantine.objects.create(
        agent=fleet.agents[0], config_hash=v2, outcome="failed", by="system", at=NOW
    )
    gone = make_collector(connected=False)
    AgentStatus.objects.filter(agent=gone).update(disconnected_at=NOW - timedelta(days=2))
    found = counted(fleet)
    assert reasons(found) == {"cannot_accept": 1, "quarantined": 1, "already": 1, "offline": 1}
    assert (found.matched, found.eligible) == (13, 9)


def test_who_refuses_everything_is_left_out_and_it_is_said_how_to_mend_it() -> None:
    fleet = Fleet(10)
    stuck = AgentStatus.objects.filter(agent__in=fleet.agents[:2])
    stuck.update(wedged_since=fleet.v1.config_hash, running_hash="")
    found = counted(fleet)
    assert reasons(found) == {"wedged": 2}
    (said,) = found.to_dict()["excluded"]
    assert "remove the stored config on its host" in spoken(said["text"])
    assert not set(found.phases[0].new) & {agent.pk for agent in fleet.agents[:2]}


def test_agents_of_another_rollout_are_left_out_and_named() -> None:
    fleet = Fleet(10)
    make_version("other")
    fleet.start()
    found = counted(fleet, config="other", version=1)
    assert reasons(found) == {"busy": 10}


def test_queued_they_are_kept_and_the_conflict_is_shown() -> None:
    fleet = Fleet(10)
    make_version("other")
    rollout = fleet.start()
    found = counted(fleet, config="other", version=1, when_busy="queue")
    assert found.eligible == 10
    assert [(one.number, one.agents) for one in found.conflicts] == [(rollout.number, 10)]


def test_a_hash_quarantined_for_the_fleet_leaves_nobody() -> None:
    fleet = Fleet(3)
    Quarantine.objects.create(config_hash=fleet.v2.config_hash, outcome="by_hand", by="x", at=NOW)
    found = counted(fleet)
    assert reasons(found) == {"quarantined": 3}
    assert any("whole fleet" in text for text in found.blocks)


def test_the_split_and_the_coverage_follow_the_label() -> None:
    fleet = Fleet(0)
    for region, agents in {"eu": 10, "us": 9, "ap": 1}.items():
        for _ in range(agents):
            make_collector({"region": region})
    found = counted(fleet, spread_label="region")
    assert found.phases[0].split == {"eu": 1, "us": 1}
    assert spoken(found.coverage) == {
        "label": "region",
        "phase": "canary",
        "kinds": 3,
        "covered": 2,
        "missing": ["ap"],
        "text": "canary covers 2 of 3 kinds of region; not covered: ap.",
    }


def test_without_a_label_the_coverage_is_that_of_versions() -> None:
    fleet = Fleet(0)
    make_collector({"env": "canary"}, version="0.141.0")
    make_collector({"env": "prod"}, version="0.142.0")
    canary = {"name": "canary", "weight": "100%", "selector": {"labels": {"env": "canary"}}}
    everyone = {"name": "all", "weight": "100%"}
    plan = {"name": "p", "phases": [{**one, "duration": "1m"} for one in (canary, everyone)]}
    found = counted(fleet, plan).coverage
    assert spoken(found["text"]) == "canary covers 1 of 2 kinds of version; not covered: 0.142.0."


def test_a_first_phase_with_everybody_covers_every_version() -> None:
    fleet = Fleet(0)
    make_collector(version="0.141.0")
    make_collector(version="0.142.0")
    plan = {"name": "all", "phases": [{"name": "all", "weight": "100%", "duration": "1m"}]}
    assert spoken(counted(fleet, plan).coverage["text"]) == "all covers 2 of 2 kinds of version."


def test_a_phase_selector_narrows_its_phase_only() -> None:
    fleet = Fleet(8)
    for _ in range(2):
        make_collector({"env": "canary"})
    plan = {
        "name": "p",
        "phases": [
            {
                "name": "c",
                "weight": "50%",
                "duration": "1s",
                "selector": {"labels": {"env": "canary"}},
            },
            {"name": "all", "weight": "100%", "duration": "1s"},
        ],
    }
    found = counted(fleet, plan)
    assert [len(phase.new) for phase in found.phases] == [1, 9]


def test_components_that_agents_lack_block_the_start() -> None:
    fleet = Fleet(3)
    ComponentSet.objects.create(components_hash="h", names=["receiver:nop"], at=NOW)
    Agent.objects.filter(pk=fleet.agents[0].pk).update(components_hash="h", capabilities=0x5003)
    make_version(text=RUNNABLE)
    found = counted(fleet, version=3)
    assert checks(found, "block") == {"components": 1}
    assert checks(found, "note")["components_unknown"] == 2
    assert "exporter:debug, receiver:otlp" in found.blocks[0]


def test_agents_without_a_way_back_are_listed() -> None:
    fleet = Fleet(3)
    fresh = make_collector()
    found = counted(fleet)
    finding = next(one for one in found.readiness if one.check == "previous_version")
    assert (finding.level, finding.count, finding.samples) == ("note", 1, (fresh.name,))


def test_a_fresh_agent_has_a_way_back_once_a_version_is_completed() -> None:
    fleet = Fleet(3)
    rollout = fleet.start()
    fleet.run_until(lambda: state_of(rollout) == "succeeded")
    make_collector()
    make_version()
    assert "previous_version" not in checks(counted(fleet, version=3), "note")


def test_unhealthy_and_offline_agents_are_noted() -> None:
    fleet = Fleet(3)
    make_collector(healthy=False)
    make_collector(connected=False)
    assert {"health": 1, "offline": 1}.items() <= checks(counted(fleet), "note").items()


def test_a_plan_without_rollback_is_noted() -> None:
    found = counted(Fleet(3), {**CANARY_THEN_ALL, "rollback": {"enabled": False}})
    assert "rollback" in checks(found, "note")


def test_nobody_eligible_blocks() -> None:
    fleet = Fleet(0)
    make_collector(capabilities=0)
    assert "No agent is eligible" in counted(fleet).blocks[0]


def test_nobody_matched_blocks_in_other_words() -> None:
    assert counted(Fleet(0)).blocks[0] == "No agent matches the selector."


def test_overrides_change_the_plan_of_this_rollout_only() -> None:
    fleet = Fleet(3)
    rollout = fleet.draft(
        overrides={"max_in_flight": 7, "on_no_data": "fail", "rollback": {"enabled": False}}
    )
    assert rollout.plan["phases"][0]["pace"]["max_in_flight"] == 7
    assert rollout.plan["rollback"]["enabled"] is False


@pytest.mark.parametrize(
    "overrides", [{"max_in_flight": 0}, {"bake": "15"}, {"speed": 1}, {"rollback": {"on": True}}]
)
def test_a_wrong_override_is_explained(overrides: dict[str, object]) -> None:
    with pytest.raises(Invalid):
        Fleet(1).draft(overrides=overrides)


@pytest.mark.parametrize("given", [{"config": "none"}, {"version": 99}, {"plan": "nope"}])
def test_what_does_not_exist_is_missing(given: dict[str, Any]) -> None:
    with pytest.raises(Missing):
        Fleet(1).draft(**given)


def test_a_wrong_selector_is_explained() -> None:
    with pytest.raises(Invalid):
        Fleet(1).draft(selector="env=prod,,")


@pytest.mark.parametrize(
    ("selector", "narrow"), [("nmae!=x", "*"), ("*", "nmae!=x")], ids=["rollout", "phase"]
)
def test_a_label_that_nobody_has_is_a_note_of_preflight(selector: str, narrow: str) -> None:
    plan = {**CANARY_THEN_ALL, "phases": [*CANARY_THEN_ALL["phases"]]}
    plan["phases"][0] = {**plan["phases"][0], "selector": narrow}
    found = counted(Fleet(4), plan, selector=selector)
    assert checks(found, "note") == {"labels": 0}
    note = next(one for one in found.readiness if one.check == "labels")
    assert "did you mean name?" in str(note.text)
