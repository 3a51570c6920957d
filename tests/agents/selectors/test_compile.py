from __future__ import annotations

import uuid
from datetime import UTC, datetime

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents.models import Agent, AgentStatus, ComponentSet, GatewayLease
from agents.selectors.compile import to_q
from agents.selectors.errors import SelectorError
from agents.selectors.grammar import EVERYTHING, parse
from agents.selectors.matching import AgentLook, matches
from agents.selectors.tree import Selector
from agents.selectors.versions import version_keys
from agents.status_words import STATUSES
from tests.agents.selectors.strategies import LOOKS, SELECTORS
from tests.make.agents import make_agent_with

NOW = datetime(2026, 1, 1, tzinfo=UTC)

pytestmark = pytest.mark.django_db


def store(look: AgentLook) -> Agent:
    names = sorted(look.components)
    components_hash = ",".join(names)
    ComponentSet.objects.get_or_create(
        components_hash=components_hash, defaults={"names": names, "at": NOW}
    )
    labels = dict(look.labels)
    agent = Agent.objects.create(
        instance_uid=look.uid or uuid.uuid4(),
        name=look.name,
        labels=labels,
        version_keys=version_keys(labels),
        capabilities=look.capabilities,
        components_hash=components_hash,
        first_seen_at=NOW,
    )
    if look.sick:
        AgentStatus.objects.create(agent=agent, sick_component=f"{look.sick}: says: so")
    return agent


def selected(text: str, **named: str) -> set[str]:
    saved = {name: parse(selector) for name, selector in named.items()}
    found = Agent.objects.filter(to_q(parse(text), saved))
    return set(found.values_list("labels__name", flat=True))


@pytest.fixture
def _fleet() -> None:
    store(AgentLook({"name": "a", "env": "prod", "version": "v1.4.0"}, ["processor:batch"], 0x2))
    store(AgentLook({"name": "b", "env": "dev", "version": "1.10.0"}, ["receiver:otlp"], 0x1))
    store(AgentLook({"name": "c", "version": "2.0.0-rc.1"}))


@pytest.mark.usefixtures("_fleet")
@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("*", "abc"),
        ("env=prod", "a"),
        ("env!=prod", "bc"),
        ("env,env!=prod", "b"),
        ("!env", "c"),
        ("env in (prod,dev)", "ab"),
        ("env notin (prod)", "bc"),
        ("env~*d*", "ab"),
        ("env!~p*", "bc"),
        ("version>=1.4", "abc"),
        ("version>1.4.0", "bc"),
        ("version==1.4", "a"),
        ("version!=1.4", "bc"),
        ("version<2.0.0", "abc"),
        ("version>=2.0.0", ""),
        ("env>=1", ""),
        ("env=prod or version>=2.0.0-rc.1", "ac"),
        ("has(batch_processor)", "a"),
        ("!has(batch_processor)", "bc"),
        ("has(accepts_remote_config)", "a"),
        ("has(version>=1.5)", "bc"),
        ("@mine", "ab"),
        ("!@mine", "c"),
        ("!@everyone", ""),
    ],
)
def test_a_selector_finds_its_agents(text: str, names: str) -> None:
    assert selected(text, mine="env", everyone="*") == set(names)


@pytest.mark.usefixtures("_fleet")
@pytest.mark.parametrize("saved", [{}, {"x": "@y", "y": "@x"}, {"x": "@x"}])
def test_a_missing_or_circular_saved_selector_is_refused(saved: dict[str, str]) -> None:
    with pytest.raises(SelectorError, match="no saved selector named"):
        selected("@x", **saved)


def test_everything_has_no_condition() -> None:
    assert not to_q(EVERYTHING)


def test_a_selector_is_one_query(django_assert_num_queries) -> None:  # type: ignore[no-untyped-def]
    q = to_q(parse("env in (a,b),version>=1.0,has(batch_processor),!legacy"))
    with django_assert_num_queries(1):
        Agent.objects.filter(q).count()


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(SELECTORS, st.lists(LOOKS, min_size=1, max_size=4))
def test_sql_and_python_select_the_same_agents(selector: Selector, looks: list[AgentLook]) -> None:
    Agent.objects.all().delete()
    agents = {store(look).pk: look for look in {look.uid: look for look in looks}.values()}
    found = Agent.objects.filter(to_q(selector), pk__in=agents).values_list("pk", flat=True)
    assert set(found) == {pk for pk, look in agents.items() if matches(selector, look)}


def connected(name: str, *, healthy: bool, now: datetime) -> None:
    lease = GatewayLease.objects.create(
        id=uuid.uuid4(), host="h", port=1, pid=1, started_at=now, renewed_at=now
    )
    agent = make_agent_with(connected=True, gateway=lease, healthy=healthy)
    Agent.objects.filter(pk=agent.pk).update(name=name)


def find(text: str) -> list[str]:
    return sorted(Agent.objects.matching(to_q(parse(text))).values_list("name", flat=True))


UID = "0193aaaa-0000-4000-8000-000000000001"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("name=us-east-prod-00001", ["us-east-prod-00001"]),
        ("name~us-east-*", ["us-east-prod-00001"]),
        ("name!~us-east-*", ["10.0.0.7", "eu"]),
        ("name==10.0.0.7", ["10.0.0.7"]),
        ("name!=10.0.0.7", ["eu", "us-east-prod-00001"]),
        ("name in (eu,~10.*)", ["10.0.0.7", "eu"]),
        ("!name", []),
        (f"id={UID}", ["eu"]),
        (f"id={UID.replace('-', '').upper()}", ["eu"]),
        ("id~0193AAAA*", ["eu"]),
        ("id!~0193*", ["10.0.0.7", "us-east-prod-00001"]),
        ("name=eu or id~zz*", ["eu"]),
        ("has(name=liar)", ["eu"]),
        ("name=liar", []),
    ],
)
def test_fields_are_facts_that_no_label_can_claim(text: str, names: list[str]) -> None:
    store(AgentLook(name="us-east-prod-00001"))
    store(AgentLook(name="10.0.0.7"))
    store(AgentLook({"name": "liar", "status": "healthy", "id": "x"}, name="eu", uid=UID))
    assert find(text) == names


def test_a_status_is_what_the_pages_call_it() -> None:
    now = timezone.now()
    connected("well", healthy=True, now=now)
    connected("ill", healthy=False, now=now)
    store(AgentLook({"status": "healthy"}, name="gone"))
    for word in STATUSES:
        shown = Agent.objects.with_status_word(now).filter(status_word=word)
        assert find(f"status={word}") == sorted(shown.values_list("name", flat=True)), word
    assert find("status=healthy") == ["well"]
    assert find("status!=offline") == ["ill", "well"]
    assert find("status~un*") == ["ill"]
    assert find("status in (healthy,unhealthy),name!=well") == ["ill"]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("sick_component=exporter:otlp/eu", ["a"]),
        ('sick_component="exporter otlp/eu"', ["a"]),
        ("sick_component~exporter:*", ["a", "b"]),
        ("sick_component in (exporter:otlp,receiver:otlp)", ["b"]),
        ("sick_component!=exporter:otlp", ["a", "c"]),
        ("sick_component", ["a", "b"]),
        ("!sick_component", ["c"]),
        ("sick_component~*", ["a", "b"]),
    ],
)
def test_a_sick_component_is_asked_by_its_name(text: str, names: list[str]) -> None:
    store(AgentLook(name="a", sick="exporter otlp/eu"))
    store(AgentLook(name="b", sick="exporter otlp"))
    store(AgentLook({"sick_component": "exporter otlp"}, name="c"))
    assert find(text) == names


def test_config_is_asked_only_where_somebody_knows_configs() -> None:
    with pytest.raises(SelectorError, match="cannot be asked here"):
        to_q(parse("config=gateway"))
