"""From readings to a verdict per gate (spec section 4, evidence and guards). Pure.

A criterion is decided on the readings taken while its phase was observed; a threshold on its newest
reading; a trigger on how long its condition held without a break. Whatever is missing, unreadable or
old is `insufficient`; what the readings cannot tell apart from the limit is `inconclusive`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from console.lib.texts import Text, text
from rollouts.analysis import sentences
from rollouts.analysis.readings import Reading
from rollouts.analysis.specs import GateSpec
from rollouts.engine.facts import GateFacts, GateKind, Level, Verdict

_MISSED_READINGS = 3
_SHORTEST_PATIENCE_S = 15.0
PRECEDENCE = (Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.INSUFFICIENT, Verdict.PASS)


class Side(StrEnum):
    """Where one reading stands against its limit, as far as it can tell."""

    GOOD = "good"
    BAD = "bad"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class ReadingFrame:
    """The frame readings are judged in.

    `observed_since` is when the phase was deployed (None: not yet); readings before it are shown, not
    judged. `interval_s` is the pace of readings.
    """

    observed_since: datetime | None
    interval_s: float
    min_agents: int = 1
    min_samples: int = 3

    @property
    def patience(self) -> timedelta:
        """How old the newest reading may be before the gate counts as silent."""
        return timedelta(seconds=max(_MISSED_READINGS * self.interval_s, _SHORTEST_PATIENCE_S))


def judge(
    spec: GateSpec,
    readings: Sequence[Reading],
    window: ReadingFrame,
    now: datetime,
    waived_by: str | None = None,
) -> GateFacts:
    """Return one gate, judged. `readings` are of this gate, oldest first, each with its time."""
    gate = _JUDGES[spec.kind](spec, _base(spec, readings, waived_by), readings, window, now)
    return replace(gate, sentence=sentences.sentence(spec, gate, _missing(gate, window)))


def _missing(gate: GateFacts, window: ReadingFrame) -> Text:
    """Name what an insufficient criterion waits for: the window, agents, or readings."""
    if window.observed_since is None:
        return text("gate.window_not_begun")
    if gate.agents < window.min_agents:
        return text("gate.too_few_agents", agents=gate.agents, of=window.min_agents)
    if gate.readings < window.min_samples:
        return text("gate.too_few_readings", readings=gate.readings, of=window.min_samples)
    return text("gate.newest_awaited")


def unread(spec: GateSpec) -> GateFacts:
    """Return a gate as it is asked, before anybody read it."""
    return _base(spec, (), None)


def overall(gates: Sequence[GateFacts]) -> Verdict:
    """Return one verdict for several gates: fail > inconclusive > insufficient > pass."""
    found = {gate.verdict for gate in gates if not gate.is_silenced and not gate.is_unseen}
    return next((verdict for verdict in PRECEDENCE if verdict in found), Verdict.PASS)


def side_of(spec: GateSpec, reading: Reading) -> Side:
    """Tell on which side of a criterion's limit a reading lies.

    An estimate counts only when its whole interval lies on one side; the nearer end decides.
    """
    if reading.value is None:
        return Side.UNCLEAR
    met = spec.is_met(reading.value)
    if reading.low is not None and reading.high is not None:
        ends = {spec.is_met(reading.low), spec.is_met(reading.high)}
        if ends != {met}:
            return Side.UNCLEAR
    return Side.GOOD if met else Side.BAD


def _base(spec: GateSpec, readings: Sequence[Reading], waived_by: str | None) -> GateFacts:
    """What is shown whatever the verdict: the newest reading and the newest value."""
    newest = readings[-1] if readings else None
    valued = next((reading for reading in reversed(readings) if reading.has_value), None)
    told = valued or newest
    return GateFacts(
        gate=spec.gate,
        kind=spec.kind,
        metric=spec.metric,
        title=spec.title,
        verdict=Verdict.INSUFFICIENT,
        unit=spec.unit,
        operator=spec.operator,
        limit=spec.limit,
        warning_limit=spec.warning,
        value=valued.value if valued else None,
        action=spec.action,
        agents=told.agents if told else 0,
        samples=told.samples if told else 0,
        source=told.source if told else "",
        at=newest.at if newest else None,
        waived_by=waived_by,
        note=newest.note if newest else "",
        query=(told.query if told else "") or spec.query,
        low=valued.low if valued else None,
        high=valued.high if valued else None,
        dry_run=spec.dry_run,
        is_default=spec.is_default,
    )


def _is_silent(readings: Sequence[Reading], window: ReadingFrame, now: datetime) -> bool:
    """Whether the newest value is missing or too old."""
    valued = next((reading for reading in reversed(readings) if reading.has_value), None)
    return valued is None or valued.at is None or now - valued.at > window.patience


def _silent(
    gate: GateFacts, readings: Sequence[Reading], since: datetime | None = None
) -> GateFacts:
    """Return the gate of silence: nothing known since the last value, else since the first try."""
    valued = next((reading for reading in reversed(readings) if reading.has_value), None)
    first = readings[0].at if readings else None
    return replace(gate, no_data_since=(valued.at if valued else None) or first or since)


def _criterion(
    spec: GateSpec,
    gate: GateFacts,
    readings: Sequence[Reading],
    window: ReadingFrame,
    now: datetime,
) -> GateFacts:
    since = window.observed_since
    if since is None:
        return gate
    judged = [reading for reading in readings if reading.at is not None and reading.at >= since]
    valued = [reading for reading in judged if reading.has_value]
    sides = [side_of(spec, reading) for reading in valued]
    gate = replace(gate, readings=len(valued), failed_in_row=_trailing(sides, Side.BAD))
    if _is_silent(judged, window, now):
        # A first reading that is only late (the task has not come round yet) is not silence.
        is_late = not judged and now - since <= window.patience
        return gate if is_late else _silent(gate, judged, since)
    if valued[-1].agents < window.min_agents or len(valued) < window.min_samples:
        return gate
    return replace(gate, verdict=_criterion_verdict(spec, sides))


def _criterion_verdict(spec: GateSpec, sides: Sequence[Side]) -> Verdict:
    """Judge by the newest reading, which covers the window so far, and by the limits on how many
    readings of the window may have been bad or unclear."""
    bad, unclear = sides.count(Side.BAD), sides.count(Side.UNCLEAR)
    if spec.failure_limit and bad > spec.failure_limit:
        return Verdict.FAIL
    if sides[-1] is Side.BAD:
        enough = _trailing(sides, Side.BAD) >= spec.consecutive
        return Verdict.FAIL if enough else Verdict.INCONCLUSIVE
    if sides[-1] is Side.UNCLEAR:
        return Verdict.INCONCLUSIVE
    if spec.inconclusive_limit is not None and unclear > spec.inconclusive_limit:
        return Verdict.INCONCLUSIVE
    return Verdict.PASS


def _threshold(
    spec: GateSpec,
    gate: GateFacts,
    readings: Sequence[Reading],
    window: ReadingFrame,
    now: datetime,
) -> GateFacts:
    valued = [reading for reading in readings if reading.has_value]
    levels = [_sure_level(spec, reading) for reading in valued]
    critical_in_row = _trailing(levels, Level.CRITICAL)
    gate = replace(gate, readings=len(valued), failed_in_row=critical_in_row)
    if _is_silent(readings, window, now):
        return _silent(gate, readings, window.observed_since)
    level = levels[-1]
    if level is Level.CRITICAL and critical_in_row < spec.consecutive:
        level = Level.WARNING
    if level is Level.CRITICAL:
        firing = not spec.dry_run
        return replace(gate, verdict=Verdict.FAIL, level=Level.CRITICAL, firing=firing)
    return replace(gate, verdict=Verdict.PASS, level=level)


def _sure_level(spec: GateSpec, reading: Reading) -> Level:
    """Return the level a reading surely reaches: an estimate by the end nearer to good.

    An estimate whose middle is critical but whose interval is not holds the phase as a warning, so
    that noise neither rolls back nor advances.
    """
    if reading.value is None:
        return Level.NONE
    level = spec.level_of(reading.value)
    if reading.low is None or reading.high is None or level is Level.NONE:
        return level
    sure = {spec.level_of(reading.low), spec.level_of(reading.high)}
    if Level.NONE not in sure and Level.WARNING not in sure:
        return Level.CRITICAL
    if level is Level.CRITICAL or Level.NONE not in sure:
        return Level.WARNING
    return Level.NONE


def _trigger(
    spec: GateSpec,
    gate: GateFacts,
    readings: Sequence[Reading],
    window: ReadingFrame,
    now: datetime,
) -> GateFacts:
    valued = [reading for reading in readings if reading.has_value]
    gate = replace(gate, readings=len(valued))
    if _is_silent(readings, window, now):
        return _silent(gate, readings, window.observed_since)
    run = _unbroken(valued, window.patience)
    if not run:
        return replace(gate, verdict=Verdict.PASS)
    gate = replace(gate, pending_since=run[0].at, failed_in_row=len(run))
    if _held_s(run) >= spec.for_s:
        firing = not spec.dry_run
        return replace(gate, verdict=Verdict.FAIL, firing=firing)
    return replace(gate, verdict=Verdict.INCONCLUSIVE)


def _unbroken(valued: Sequence[Reading], gap: timedelta) -> list[Reading]:
    """Return the newest run of true readings, oldest first. Kept in rows, it survives any restart;
    a hole in it longer than `gap` starts the time anew, since nobody saw what happened there."""
    run: list[Reading] = []
    for reading in reversed(valued):
        if not reading.breached or reading.at is None:
            break
        if run and run[-1].at is not None and run[-1].at - reading.at > gap:
            break
        run.append(reading)
    return run[::-1]


def _held_s(run: Sequence[Reading]) -> float:
    began, newest = run[0].at, run[-1].at
    return 0.0 if began is None or newest is None else (newest - began).total_seconds()


def _trailing(values: Sequence[object], wanted: object) -> int:
    count = 0
    for value in reversed(values):
        if value is not wanted:
            break
        count += 1
    return count


_JUDGES = {
    GateKind.CRITERION: _criterion,
    GateKind.THRESHOLD: _threshold,
    GateKind.TRIGGER: _trigger,
}
