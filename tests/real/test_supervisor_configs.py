"""Configs for a supervisor that validates first: taken, refused, repeated (interop.md section 2)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from accounts.actor import SYSTEM
from agents.models import ConfigStatus, Delivery, Quarantine
from console.lib.problems import Invalid
from rollouts.actions.files.upload_config import upload_config
from tests.clients.supervised import SupervisedCollector, marked_config
from tests.make.waiting import eventually
from tests.real.conftest import Clients
from tests.real.gateway import Gateway
from tests.real.recorded import Recorded, hash_of, recorded_of

pytestmark = pytest.mark.real

BASE = marked_config("base")
NOT_YAML = "receivers:\n  otlp: {protocols\nexporters: [\n"


@pytest.fixture(scope="module")
def supervised(lasting: Clients, gateway: Gateway) -> SupervisedCollector:
    return lasting.supervised(gateway.ws_url)


@pytest.fixture(scope="module")
def seen(supervised: SupervisedCollector) -> Recorded:
    return recorded_of(supervised).wait_healthy()


@pytest.fixture
def on_base(supervised: SupervisedCollector, seen: Recorded) -> SupervisedCollector:
    """The shared collector, running BASE by its own word, with no timer left of an earlier config."""
    seen.offer(BASE)
    seen.wait_status(BASE, ConfigStatus.APPLIED)
    supervised.wait_runs("base")
    supervised.wait_calm()
    return supervised


def test_a_good_config_is_acknowledged_first_and_applied_later(
    on_base: SupervisedCollector, seen: Recorded
) -> None:
    good = marked_config("good")

    seen.offer(good)
    delivery = seen.wait_settled(good)

    assert delivery.state == Delivery.State.APPLIED
    assert delivery.sent_at is not None
    assert delivery.acknowledged_at is not None
    assert delivery.settled_at is not None
    assert delivery.offered_at <= delivery.sent_at <= delivery.acknowledged_at
    # config_apply_timeout is 1 s here, and APPLIED never comes before it.
    assert delivery.settled_at - delivery.acknowledged_at > timedelta(seconds=0.9)
    assert on_base.runs("good")
    seen.wait_healthy()


def test_the_effective_config_shows_what_runs(on_base: SupervisedCollector, seen: Recorded) -> None:
    def shows_it() -> bool:
        return "/base" in str(seen.body("effective_config"))

    eventually(shows_it, "an effective config with the mark", seen=seen.summary)
    assert "/base" in on_base.effective_text()


def test_a_hash_it_already_runs_is_settled_without_a_word_from_it(
    on_base: SupervisedCollector, seen: Recorded
) -> None:
    answer = seen.offer(BASE)

    assert answer.already_running == [seen.agent.pk]
    again = seen.deliveries(BASE)[-1]
    assert (again.state, again.sent_at) == (Delivery.State.APPLIED, None)


def test_a_hash_sent_again_settles_though_the_agent_suppresses_the_status(
    on_base: SupervisedCollector, seen: Recorded
) -> None:
    """There and back within one delivery: the first is superseded, the agent says only the last."""
    there = marked_config("there")
    seen.offer(there)
    seen.offer(BASE)

    seen.wait_status(BASE, ConfigStatus.APPLIED)
    back = seen.wait_settled(BASE)

    assert back.state == Delivery.State.APPLIED
    on_base.wait_runs("base")


def test_other_bytes_with_the_same_meaning_do_not_restart_the_collector(
    on_base: SupervisedCollector, seen: Recorded
) -> None:
    pid = on_base.collector_pid()
    same = BASE + "# a word for people\n"

    seen.offer(same)
    delivery = seen.wait_settled(same)

    assert delivery.state == Delivery.State.APPLIED
    assert on_base.collector_pid() == pid


def test_an_unknown_component_fails_with_the_reason_and_the_old_config_runs_on(
    on_base: SupervisedCollector, seen: Recorded
) -> None:
    pid = on_base.collector_pid()
    bad = marked_config("bad", processors={"batch": {}, "transmogrify": {}})

    seen.offer(bad)
    delivery = seen.wait_settled(bad)

    assert delivery.state == Delivery.State.FAILED
    assert "transmogrify" in delivery.error
    assert on_base.runs("base")
    assert on_base.collector_pid() == pid
    assert seen.status.running_hash == seen.deliveries(BASE)[-1].config_hash


def test_a_value_that_only_the_collector_refuses_fails_with_its_words(
    on_base: SupervisedCollector, seen: Recorded
) -> None:
    bad = marked_config("loud", exporters={"debug": {"verbosity": "loud"}})

    seen.offer(bad)
    delivery = seen.wait_settled(bad)

    assert delivery.state == Delivery.State.FAILED
    assert 'unknown metrics level "loud"' in delivery.error
    assert on_base.runs("base")


def test_a_refused_hash_is_not_sent_again(on_base: SupervisedCollector, seen: Recorded) -> None:
    bad = marked_config("bad", exporters={"debug": {"verbosity": "shrill"}})
    seen.offer(bad)
    failed = seen.wait_settled(bad)

    answer = seen.offer(bad)

    assert failed.state == Delivery.State.FAILED
    assert answer.quarantined == [seen.agent.pk]
    assert len(seen.deliveries(bad)) == 1


def test_an_applied_that_the_timer_of_an_earlier_config_says_is_not_believed(
    on_base: SupervisedCollector, seen: Recorded
) -> None:
    bad = marked_config("bad", exporters={"debug": {"verbosity": "piercing"}})
    seen.offer(marked_config("first"))
    on_base.wait_runs("first")
    seen.offer(bad)
    assert seen.wait_settled(bad).state == Delivery.State.FAILED

    says = (hash_of(bad), ConfigStatus.APPLIED)
    eventually(lambda: on_base.last_word() == says, "it says so", seen=on_base.log_tail)
    seen.ask_full_state()
    eventually(lambda: "/first" in str(seen.body("effective_config")), "it shows what it runs")

    assert seen.status.config_status == ConfigStatus.FAILED
    assert seen.status.running_hash != hash_of(bad)
    assert Quarantine.objects.filter(agent=seen.agent, config_hash=hash_of(bad), lifted_at=None)


def test_it_goes_back_after_a_failed_config(on_base: SupervisedCollector, seen: Recorded) -> None:
    bad = marked_config("bad", exporters={"debug": {"verbosity": "deafening"}})
    seen.offer(bad)
    seen.wait_settled(bad)

    seen.offer(BASE)
    back = seen.wait_settled(BASE)

    assert back.state == Delivery.State.APPLIED
    assert seen.status.config_status == ConfigStatus.APPLIED
    assert on_base.runs("base")


def test_an_unreachable_exporter_is_applied_and_healthy_all_the_same(
    on_base: SupervisedCollector, seen: Recorded
) -> None:
    dead = marked_config(
        "dead", exporters={"debug": {}, "otlphttp": {"endpoint": "http://[::1]:9"}}
    )
    dead = dead.replace("      - debug\n", "      - debug\n      - otlphttp\n")

    seen.offer(dead)
    delivery = seen.wait_settled(dead)

    assert "- otlphttp" in dead
    assert delivery.state == Delivery.State.APPLIED
    assert seen.wait_healthy().status.health_error == ""
    assert on_base.runs("dead")


@pytest.mark.parametrize("body", [NOT_YAML, "", "{}"], ids=["not YAML", "no bytes", "empty map"])
def test_what_would_lose_a_host_cannot_become_a_version(store: None, body: str) -> None:
    with pytest.raises(Invalid):
        upload_config(name="lost", body=body.encode(), by=SYSTEM)


def test_yaml_that_does_not_parse_is_why_that_is_so(clients: Clients, gateway: Gateway) -> None:
    """The supervisor keeps running with it, and does not come up again after a restart."""
    supervised = clients.supervised(gateway.ws_url)
    seen = recorded_of(supervised).wait_healthy()
    seen.offer(BASE)
    seen.wait_settled(BASE)

    seen.offer(NOT_YAML)
    delivery = seen.wait_settled(NOT_YAML)

    assert delivery.state == Delivery.State.FAILED
    assert "yaml" in delivery.error
    assert supervised.runs("base")
    supervised.stop()
    supervised.start()
    assert supervised.process.wait() == 1


def test_with_the_default_timeout_applied_comes_five_seconds_after_the_acknowledgement(
    clients: Clients, gateway: Gateway
) -> None:
    supervised = clients.supervised(gateway.ws_url, apply_timeout_s=None)
    seen = recorded_of(supervised).wait_healthy()

    seen.offer(BASE)
    delivery = seen.wait_settled(BASE)

    assert delivery.state == Delivery.State.APPLIED
    assert delivery.acknowledged_at is not None
    assert delivery.settled_at is not None
    assert delivery.settled_at - delivery.acknowledged_at > timedelta(seconds=4.5)
