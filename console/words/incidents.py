"""A rollout as text for an incident report: what, how it ended, how long it took, what happened."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.utils.translation import gettext as _

from console.lib.logs import one_line
from console.lib.texts import said, spoken
from console.words.actors import who
from console.words.choices import word
from console.words.states import look
from console.words.times import exact_span
from rollouts.models import Rollback, Rollout
from rollouts.rollback.durations import MEANINGS, durations


def incident_text(rollout: Rollout, events: Iterable[Mapping[str, Any]]) -> str:
    """Return a head of some lines, an empty line, and a line per event (`api.rollouts.answers.event_row`)."""
    lines = [*_head(rollout), "", *map(_line, events)]
    return "".join(f"{one_line(line)}\n" for line in lines)


def _head(rollout: Rollout) -> Iterator[str]:
    yield _("%(number)s: %(version)s by plan %(plan)s") % {
        "number": rollout.number,
        "version": rollout.version,
        "plan": rollout.plan.get("name") or _("of its own"),
    }
    yield _("State: %(state)s. %(why)s") % {
        "state": look("rollout", rollout.state).word,
        "why": spoken(rollout.why.get("say", "")),
    }
    yield _("Selection: %(selector)s") % {"selector": rollout.selector}
    if rollout.started_at is not None:
        ended = rollout.finished_at.isoformat() if rollout.finished_at is not None else "-"
        yield _("Started: %(started)s  Ended: %(ended)s") % {
            "started": rollout.started_at.isoformat(),
            "ended": ended,
        }
    back: Rollback | None = getattr(rollout, "rollback", None)
    if back is not None:
        yield _("Rollback: %(kind)s, by %(name)s. %(reason)s") % {
            "kind": word("kind_of_rollback", back.kind),
            "name": who(back.requested_by_name),
            "reason": said(back.reason),
        }
        for name, seconds in durations(back).items():
            yield f"  {exact_span(seconds)} {said(MEANINGS[name])}"


def _line(event: Mapping[str, Any]) -> str:
    said = [event["at"].isoformat(), who(event["actor"]), event["act"]]
    if event.get("from") or event.get("to"):
        said.append(f"{event.get('from') or '-'} -> {event.get('to') or '-'}")
    if event.get("phase"):
        said.append(f"[{event['phase']}]")
    if event["reason"]:
        said.append(f'"{event["reason"]}"')
    return "  ".join(said)
