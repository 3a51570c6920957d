"""What a rollout's agents said, read from its rows."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from agents.models import Agent, AgentEvent, ComponentSet, ConfigStatus
from console.lib.texts import Text
from rollouts.errors import causes, report
from rollouts.errors.apart import FactKind, HowApart
from rollouts.models import Rollout
from tests.make.configs import make_version
from tests.make.speech import feel
from tests.rollouts.fleet import ALL_AT_ONCE, Fleet

pytestmark = pytest.mark.django_db

BAD = """\
receivers: {otlp: }
exporters:
  debug:
    verbosity: loud
service: {pipelines: {traces: {receivers: [otlp], exporters: [debug]}}}
"""
ERROR = (
    "failed to get config: decoding failed due to the following error(s):\n\n"
    "'exporters' error reading configuration for \"debug\": decoding failed due to the following "
    "error(s):\n\n'verbosity' unknown metrics level \"loud\""
)


def label(agents: list[Agent], **labels: str) -> None:
    for agent in agents:
        agent.labels = {**agent.labels, **labels}
        agent.version = labels.get("version", agent.version)
        agent.save(update_fields=["labels", "version"])


def fleet_of(*, old: int, new: int) -> Fleet:
    """Agents on two versions of the collector; those on the old one refuse everything."""
    fleet = Fleet(old + new)
    label(fleet.agents[:old], version="0.146.1", region="eu")
    label(fleet.agents[old:], version="0.149.0", region="us")
    for number, agent in enumerate(fleet.agents):
        label([agent], **{"host.name": f"h{number}", "zone": "ab"[number % 2]})
    fleet.error = ERROR
    refusing = {agent.pk for agent in fleet.agents[:old]}

    def answer(agent: Agent, config_hash: str) -> ConfigStatus:
        runs_it = agent.pk not in refusing or config_hash == fleet.v1.config_hash
        return ConfigStatus.APPLIED if runs_it else ConfigStatus.FAILED

    fleet.answer = answer
    return fleet


def failed(fleet: Fleet) -> Rollout:
    version = make_version(text=BAD, author=fleet.author)
    rollout = fleet.start(ALL_AT_ONCE, version=version.number)
    fleet.run_until(lambda: Rollout.objects.get(pk=rollout.pk).state == "rolled_back")
    return Rollout.objects.for_detail().get(pk=rollout.pk)


def test_all_that_failed_are_one_group_that_names_its_line_also_when_they_are_back() -> None:
    found = report.of_rollout(failed(fleet_of(old=9, new=11)))
    assert found.agents == 9
    [one] = found.located
    assert (one.group.kind, one.group.agents, one.group.component) == (
        "failed",
        9,
        "exporter debug",
    )
    assert [(s.value, s.agents) for s in one.group.versions] == [("0.146.1", 9)]
    assert [(s.value, s.agents) for s in one.group.regions] == [("eu", 9)]
    [place] = one.places
    assert (place.line.number, place.line.text) == (4, "verbosity: loud")


def test_what_sets_the_failures_apart() -> None:
    found = causes.of_rollout(failed(fleet_of(old=9, new=11)))
    assert (found.verdict, found.failed, found.passed) == (HowApart.FOUND, 9, 11)
    [cause] = found.causes
    assert (cause.fact.key, cause.fact.value) == ("version", "0.146.1")
    assert (cause.failed, cause.passed) == (9, 0)
    assert [fact.key for fact in cause.same] == ["region"]


def test_a_component_that_the_builds_of_the_failures_lack() -> None:
    fleet = fleet_of(old=9, new=11)
    for name, agents in (("a", fleet.agents[:9]), ("b", fleet.agents[9:])):
        names = ["exporter:debug", *(["processor:transform"] if name == "b" else [])]
        ComponentSet.objects.create(components_hash=name, names=names, at=fleet.now)
        Agent.objects.filter(pk__in=[agent.pk for agent in agents]).update(components_hash=name)
    for agent in fleet.agents:
        agent.refresh_from_db()
    label(fleet.agents, version="1", region="eu")
    [cause] = causes.of_rollout(failed(fleet)).causes
    assert (cause.fact.kind, cause.fact.key) == (FactKind.LACKS, "processor:transform")


def test_a_refusal_without_a_word_gave_no_reason() -> None:
    fleet = fleet_of(old=9, new=11)
    fleet.error = ""
    [one] = report.of_rollout(failed(fleet)).located
    assert one.group.is_silent
    assert one.group.text == Text("target.no_reason")
    assert one.places == ()


def test_agents_that_fell_ill_are_told_by_what_they_said_before_they_went_back() -> None:
    fleet = Fleet(20)
    fleet.answer = lambda agent, _: ConfigStatus.APPLIED
    rollout = fleet.start({**ALL_AT_ONCE, "health_grace": "1s"})
    fleet.run(2)
    for agent in fleet.agents[:9]:
        feel(agent, False, at=fleet.now)
        AgentEvent.objects.create(
            agent=agent, at=fleet.now, kind="health", details={"healthy": False, "error": "exporter debug: out of memory"}
        )  # fmt: skip
    fleet.run_until(lambda: Rollout.objects.get(pk=rollout.pk).state == "rolled_back")
    for agent in fleet.agents[:9]:
        feel(agent, True, at=fleet.now)
    [one] = report.of_rollout(Rollout.objects.for_detail().get(pk=rollout.pk)).located
    assert (one.group.kind, one.group.agents) == ("unhealthy", 9)
    assert one.group.text == "exporter debug: out of memory"


def test_a_report_costs_the_same_however_many_said_something() -> None:
    rollout = failed(fleet_of(old=4, new=6))
    with CaptureQueriesContext(connection) as taken:
        report.of_rollout(rollout)
    assert len(taken) <= 4, [query["sql"][:100] for query in taken]
