"""A rollout as text for an incident report: what, how it ended, how long it took, what happened."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from console.lib.logs import one_line
from console.lib.texts import said, spoken
from rollouts.models import Rollback, Rollout
from rollouts.rollback.durations import MEANINGS, durations


def incident_text(rollout: Rollout, events: Iterable[Mapping[str, Any]]) -> str:
    """Return a head of some lines, an empty line, and a line per event (`api.rollouts.answers.event_row`)."""
    lines = [*_head(rollout), "", *map(_line, events)]
    return "".join(f"{one_line(line)}\n" for line in lines)


def _head(rollout: Rollout) -> Iterator[str]:
    yield f"{rollout.number}: {rollout.version} by plan {rollout.plan.get('name') or 'of its own'}"
    yield f"State: {rollout.state.replace('_', ' ')}. {spoken(rollout.why.get('say', ''))}"
    yield f"Selection: {rollout.selector}"
    if rollout.started_at is not None:
        ended = rollout.finished_at.isoformat() if rollout.finished_at is not None else "-"
        yield f"Started: {rollout.started_at.isoformat()}  Ended: {ended}"
    back: Rollback | None = getattr(rollout, "rollback", None)
    if back is not None:
        yield f"Rollback: {back.kind}, by {back.requested_by_name}. {said(back.reason)}"
        for name, seconds in durations(back).items():
            yield f"  {seconds:,.1f} s {said(MEANINGS[name])}"


def _line(event: Mapping[str, Any]) -> str:
    said = [event["at"].isoformat(), event["actor"], event["act"]]
    if event.get("from") or event.get("to"):
        said.append(f"{event.get('from') or '-'} -> {event.get('to') or '-'}")
    if event.get("phase"):
        said.append(f"[{event['phase']}]")
    if event["reason"]:
        said.append(f'"{event["reason"]}"')
    return "  ".join(said)
