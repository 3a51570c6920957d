"""What needs a person, kind by kind: when it does, when it does not, and when it is news again."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from accounts.actor import SYSTEM
from agents.models import AgentStatus, FleetSample, GatewayLease, Quarantine, RefusedAgent
from console.lib.texts import text
from rollouts.attention.find import Item, needs
from rollouts.models import Acknowledgement, Approval, Rollback, Rollout
from tests.make.agents import make_fleet
from tests.make.configs import make_config
from tests.make.rollouts import make_approval, make_rollout

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def rolled_back(state: str = "succeeded", kind: str = "automatic") -> Rollback:
    rollout = make_rollout(make_config("edge", 3)[2], state="rolled_back")
    return Rollback.objects.create(
        rollout=rollout, kind=kind, state=state, reason="it broke", decided_at=NOW,
        requested_by_name="policy",
    )  # fmt: skip


def rollout(**fields: object) -> Rollout:
    made = make_rollout(make_config("edge", 2)[1], state=str(fields.pop("state", "running")))
    Rollout.objects.filter(pk=made.pk).update(**fields)
    return made


def quarantine(**fields: object) -> Quarantine:
    [version] = make_config("edge", 1)
    values = {"config_hash": version.config_hash, "outcome": "rolled_back", "by": "system"}
    return Quarantine.objects.create(**{**values, "at": NOW, **fields})


def sample(total: int, offline: int, at: datetime = NOW, late: int = 0) -> FleetSample:
    return FleetSample.objects.create(at=at, total=total, offline=offline, late=late, counts={})


def lease(**fields: object) -> GatewayLease:
    return GatewayLease.objects.create(
        id=uuid.uuid4(), host="gw", port=1, pid=1, started_at=NOW,
        **{"renewed_at": NOW, "stopped_at": None, **fields},
    )  # fmt: skip


def wedged() -> None:
    [agent] = make_fleet(1)
    AgentStatus.objects.filter(agent=agent).update(wedged_since="a" * 64)


def refused(at: datetime = NOW) -> RefusedAgent:
    return RefusedAgent.objects.create(
        address=f"10.0.0.{RefusedAgent.objects.count()}", reason="credential_missing", times=1,
        first_at=at, last_at=at,
    )  # fmt: skip


def paused(answer: str = "") -> None:
    made = rollout(state="paused", paused_by_name="lin", pause_reason="wait for the vendor")
    if answer:
        make_approval(made, answer)


def expiring(hours: float) -> None:
    approval = make_approval(rollout())
    Approval.objects.filter(pk=approval.pk).update(expires_at=NOW + timedelta(hours=hours))


def some_refused() -> None:
    one, other = make_fleet(2)
    kept = quarantine(agent=one, outcome="failed")
    Quarantine.objects.create(
        agent=other, config_hash=kept.config_hash, outcome="timed_out", by="system", at=NOW
    )


def why(code: str) -> dict[str, object]:
    return {"say": text(code, gate="x", title="x", phase="canary").to_json()}


NEEDED: dict[str, tuple[Callable[[], object], str]] = {
    "rolled back": (rolled_back, "R-"),
    "rolling back": (lambda: rolled_back("running"), "rolls back by itself: edge v3"),
    "not all back": (lambda: rolled_back("incomplete", "manual"), "Some agents are not back"),
    "paused": (paused, "was paused by lin"),
    "rejected": (lambda: paused("rejected"), "was rejected by lin"),
    "nobody answered": (lambda: paused("expired"), "nobody answered the question in time"),
    "holds": (lambda: rollout(why=why("why.a_gate_silent")), "Holding: a gate has no data."),
    "expires": (lambda: expiring(1), "expires"),
    "quarantined": (quarantine, "edge v1 is quarantined for the whole fleet"),
    "refused by some": (some_refused, "2 agents refused edge v1 and run another version"),
    "wedged": (wedged, "refuses every config"),
    "at the door": (refused, "1 agent is refused at the door"),
    "tick error": (lambda: rollout(tick_error="KeyError: x"), "The engine cannot go on with R-"),
    "engine late": (
        lambda: rollout(next_tick_at=NOW - timedelta(minutes=5)),
        "The engine is late: nobody looks at R-",
    ),
    "no gateway": (
        lambda: lease(renewed_at=NOW - timedelta(minutes=1)),
        "No gateway runs: no agent can connect",
    ),
    "fleet away": (lambda: sample(200, 40), "40 of 200 agents are offline"),
    "fleet late": (lambda: sample(200, 0, late=40), "40 of 200 agents are late with their heart"),
}
CALM: dict[str, Callable[[], object]] = {
    "rolled back by a person": lambda: rolled_back(kind="manual"),
    "observing": lambda: rollout(why=why("why.observing")),
    "lifted": lambda: quarantine(lifted_at=NOW),
    "quarantined by a person": lambda: quarantine(outcome="by_hand"),
    "a question with time left": lambda: expiring(12),
    "refused long ago": lambda: refused(NOW - timedelta(hours=2)),
    "due in this second": lambda: rollout(next_tick_at=NOW),
    "a gateway that runs": lease,
    "one of two gateways": lambda: (lease(), lease(stopped_at=NOW)),
    "few away": lambda: sample(200, 19),
    "one away of a small fleet": lambda: sample(4, 1),
    "an old sample": lambda: sample(200, 100, NOW - timedelta(hours=1)),
    "an error of what is over": lambda: rollout(state="succeeded", tick_error="x"),
}


def waiting(now: datetime = NOW) -> list[Item]:
    return needs(SYSTEM, now).waiting


def seen(item: Item) -> None:
    Acknowledgement.objects.create(
        kind=item.kind, subject=item.subject, facts=item.facts, by_name="lin", at=NOW
    )


@pytest.mark.parametrize("name", NEEDED)
def test_it_needs_somebody_until_somebody_has_seen_it(name: str) -> None:
    make, words = NEEDED[name]
    make()
    [item] = waiting()
    assert words in str(item.says)
    seen(item)
    assert waiting() == []
    [known] = needs(SYSTEM, NOW).seen
    assert (known.seen_by, known.seen_at) == ("lin", NOW)


@pytest.mark.parametrize("name", CALM)
def test_it_needs_nobody(name: str) -> None:
    CALM[name]()
    assert waiting() == []


def test_a_quarantine_is_told_with_the_rollback_that_made_it() -> None:
    back = rolled_back()
    assert back.rollout is not None
    Quarantine.objects.create(
        config_hash=back.rollout.version.config_hash, outcome="rolled_back", by="system", at=NOW
    )
    [item] = waiting()
    assert str(item.more) == "it broke edge v3 is quarantined."


def test_a_rollback_that_ends_otherwise_is_news_again() -> None:
    back = rolled_back("running")
    seen(waiting()[0])
    Rollback.objects.filter(pk=back.pk).update(state="incomplete")
    [item] = waiting()
    assert "some agents are not back" in str(item.says)


def test_another_agent_at_the_door_is_news_again() -> None:
    refused()
    seen(waiting()[0])
    assert waiting() == []
    refused()
    assert len(waiting()) == 1


def test_twice_as_many_away_is_news_again() -> None:
    sample(200, 25, NOW - timedelta(minutes=2))
    seen(waiting()[0])
    sample(200, 30)
    assert waiting() == []
    sample(200, 90, NOW + timedelta(seconds=1))
    assert len(waiting(NOW + timedelta(seconds=2))) == 1


def test_the_worst_comes_first() -> None:
    refused()
    sample(200, 40)
    lease(renewed_at=NOW - timedelta(minutes=1))
    assert [item.kind for item in waiting()] == ["no_gateway", "agents_away", "at_the_door"]
