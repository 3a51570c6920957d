"""A back-test in words: for the page, the command and its JSON. Pure."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from console.lib.texts import said
from console.words import states as words
from console.words import times
from rollouts.analysis.backtest import Compared, Result, Would

LOOKS = {
    Compared.SAME: words.Look("ok", "ok", ""),
    Compared.EARLIER: words.Look("run", "clock", ""),
    Compared.LATER: words.Look("warn", "clock", ""),
    Compared.STOPS_MORE: words.Look("warn", "triangle", ""),
    Compared.LETS_THROUGH: words.Look("bad", "octagon-x", ""),
    Compared.UNKNOWN: words.Look("off", "question", ""),
}


def would(result: Result) -> str:
    """Say what the plan would have done: `would roll back in canary`; when is said beside it."""
    where = {"phase": result.phase}
    match result.would:
        case Would.ROLL_BACK:
            return _("would roll back in %(phase)s") % where
        case Would.PAUSE:
            return _("would pause in %(phase)s") % where
        case Would.HOLD:
            return _("would hold at the end of %(phase)s and ask a person") % where
        case Would.GO_ON:
            return _("would let it go on")
        case Would.UNKNOWN:
            return _("nothing it asks for was measured")


def compared(result: Result) -> str:
    """Say how that stands to what happened."""
    apart = times.exact_span(result.sooner_s or 0.0)
    match result.compared:
        case Compared.SAME if result.rollout.stopped_at is None:
            return _("as it happened: nothing stopped it")
        case Compared.SAME:
            return _("as it happened")
        case Compared.EARLIER:
            return _("%(span)s sooner than it was stopped") % {"span": apart}
        case Compared.LATER:
            return _("%(span)s later than it was stopped") % {"span": apart}
        case Compared.STOPS_MORE:
            return _("nothing stopped it then")
        case Compared.LETS_THROUGH:
            return _("it was stopped then")
        case Compared.UNKNOWN:
            return _("cannot be said")


def line(result: Result) -> str:
    """One line for a terminal."""
    at = f", {result.at:%Y-%m-%d %H:%M:%S} UTC" if result.at else ""
    parts = [f"{result.rollout.state.value}: {would(result)}{at}; {compared(result)}"]
    if result.sentence:
        parts.append(said(result.sentence))
    parts += notes(result)
    return " | ".join(parts)


def notes(result: Result) -> list[str]:
    """Say what the answer lacks."""
    found = []
    if result.unread:
        found.append(_("not measured then: %(gates)s") % {"gates": ", ".join(result.unread)})
    if result.rollout.is_cut:
        found.append(_("too many readings; the newest are left out"))
    return found


def to_dict(result: Result) -> dict[str, Any]:
    """Return one rollout as plain JSON."""
    past = result.rollout
    return {
        "number": past.number,
        "id": past.id,
        "state": past.state.value,
        "stopped_at": past.stopped_at.isoformat() if past.stopped_at else None,
        "stopped_by": past.stopped_by,
        "would": result.would.value,
        "gate": result.gate,
        "phase": result.phase,
        "at": result.at.isoformat() if result.at else None,
        "sentence": said(result.sentence),
        "compared": result.compared.value,
        "sooner_s": result.sooner_s,
        "not_measured": list(result.unread),
        "is_cut": past.is_cut,
    }
