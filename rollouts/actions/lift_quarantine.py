"""Lift a quarantine, and say so in every timeline that tells of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts.actor import Actor
from accounts.policy import require
from agents.actions import quarantine as quarantines
from agents.models import Quarantine
from console.lib.problems import Missing
from rollouts.apply import Cause, write_event
from rollouts.models import ConfigVersion, Rollback, Rollout

_OF_ROLLOUT = re.compile(r"(?:R-|rollout:)(\d{1,18})")
_OF_ROLLBACK = re.compile(r"rollback:(\d{1,18})")


def lift_version(
    *,
    config_hash: str,
    by: Actor,
    reason: str,
    agent: int | None = None,
    fleet_only: bool = False,
    upto: int | None = None,
    now: datetime | None = None,
) -> list[Quarantine]:
    """Allow a hash again for one agent, for the fleet as such, or for everybody.

    `upto` is the id of the newest quarantine that the person saw; what came later stays, as does,
    with `fleet_only`, what keeps it from single agents. Returns what was lifted. Raises Denied, and
    Refused without a reason or when there is nothing left to lift. Locks the rollouts whose timelines
    tell of it by primary key, then the quarantines.
    """
    require(by, "quarantine.lift")
    now = now or timezone.now()
    live = quarantines.live_of(config_hash, agent=agent, fleet_only=fleet_only, upto=upto)
    with transaction.atomic():
        told = _Told.of(config_hash, list(live.values_list("cause", flat=True).distinct()))
        lifted = quarantines.lift(live, by=by, reason=reason, now=now)
        told.write(lifted, Cause(by, now, reason))
    return lifted


def lift_one(
    *, quarantine_id: int, by: Actor, reason: str, now: datetime | None = None
) -> Quarantine:
    """Allow a hash again where this quarantine keeps it away. Raises Denied, Missing, and Refused
    without a reason or when it was lifted before."""
    require(by, "quarantine.lift")
    now = now or timezone.now()
    found = Quarantine.objects.filter(pk=quarantine_id)
    with transaction.atomic():
        row = found.first()
        if row is None:
            raise Missing("quarantine.missing")
        told = _Told.of(row.config_hash, [row.cause])
        [lifted] = quarantines.lift(found, by=by, reason=reason, now=now)
        told.write([lifted], Cause(by, now, reason))
    return lifted


class _Told:
    """The timelines that tell of the quarantines of a hash, their rows locked."""

    def __init__(self, rollouts: Sequence[Rollout], rollbacks: Sequence[Rollback], version: str):
        self.rollouts, self.rollbacks, self.version = rollouts, rollbacks, version

    @classmethod
    def of(cls, config_hash: str, causes: Sequence[str]) -> _Told:
        """Lock the rollouts that quarantined the hash for the fleet, and whatever `causes` name."""
        fleet = Q(version__body_ref=config_hash, events__act="quarantined")
        ids = Rollout.objects.filter(fleet | Q(pk__in=_ids(_OF_ROLLOUT, causes)))
        rollouts = Rollout.objects.filter(pk__in=ids.values("pk")).order_by("pk")
        rollbacks = Rollback.objects.filter(pk__in=_ids(_OF_ROLLBACK, causes), rollout=None)
        version = ConfigVersion.objects.filter(body_ref=config_hash).order_by("-pk").first()
        return cls(
            list(rollouts.select_for_update(of=("self",), no_key=True)),
            list(rollbacks.order_by("pk").select_for_update(of=("self",), no_key=True)),
            f"v{version.number}" if version is not None else config_hash[:12],
        )

    def write(self, lifted: Sequence[Quarantine], cause: Cause) -> None:
        """Write the event into each timeline that one of the lifted quarantines concerns."""
        for rollout in self.rollouts:
            self._write(lifted, {rollout.topic, rollout.number}, cause, rollout, None)
        for rollback in self.rollbacks:
            self._write(lifted, {rollback.topic}, cause, None, rollback)

    def _write(
        self,
        lifted: Sequence[Quarantine],
        names: set[str],
        cause: Cause,
        rollout: Rollout | None,
        rollback: Rollback | None,
    ) -> None:
        own = [one for one in lifted if one.agent_id is not None and one.cause in names]
        whole = rollout is not None and any(one.agent_id is None for one in lifted)
        if not own and not whole:
            return
        inputs = {"version": self.version, "fleet": whole, "agents": len(own)}
        told = Cause(cause.by, cause.now, cause.reason, inputs)
        write_event(rollout, "quarantine_lifted", told, rollback=rollback)


def _ids(pattern: re.Pattern[str], causes: Sequence[str]) -> list[int]:
    return [int(named[1]) for cause in causes if (named := pattern.fullmatch(cause))]
