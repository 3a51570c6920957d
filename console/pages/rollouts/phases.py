"""A phase as pages show it: state, share of the agents, counts, bar. Pure over model rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from console.lib.texts import Text
from console.pages.drawing import charts
from console.pages.drawing.charts import BarPart
from console.words import states as words
from console.words import tally, ways_back
from console.words.plain import plain
from rollouts.engine.facts import REJECTED, Counts
from rollouts.engine.states import PhaseState, RolloutState
from rollouts.models import Phase, Rollout

LIVE = frozenset({PhaseState.DEPLOYING, PhaseState.OBSERVING})
CAME_BACK = frozenset({RolloutState.ROLLED_BACK, RolloutState.ROLLBACK_INCOMPLETE})
STARTED = LIVE | {PhaseState.PASSED, PhaseState.FAILED, PhaseState.ROLLED_BACK}


def counts_of(phase: Phase) -> Counts:
    """Read the counts the tick keeps; what is not there yet is nought."""
    return Counts.from_dict(phase.counts or {})


def bar_of(phase: Phase, rollout: Rollout, counts: Counts) -> SafeString:
    """Draw a phase from good to not started."""
    goes_back = rollout.state == RolloutState.ROLLING_BACK
    failed_back = counts.told.failed_by_state - counts.failed_by_state
    if phase.state == PhaseState.FAILED:
        failed_back = counts.rolled_back  # it stays red, whoever in it came back
    parts = [
        BarPart("applied", counts.applied - counts.unhealthy),
        BarPart("returned", counts.rolled_back - failed_back),
        BarPart("failed_back", failed_back),
        BarPart("failed", counts.bad),
        BarPart("coming_back" if goes_back else "applying", counts.outstanding),
    ]
    if phase.state in STARTED:
        parts += [BarPart("offline", counts.offline), BarPart("queued", counts.ready)]
    label = _("%(applied)d of %(members)d applied, %(failed)d failed, %(offline)d offline")
    if counts.rolled_back:
        label = _(
            "%(back)d of %(members)d back, %(applied)d applied, %(failed)d failed, %(offline)d offline"
        )
    label %= {
        "back": counts.rolled_back,
        "applied": counts.applied - counts.unhealthy,
        "members": counts.members,
        "failed": counts.told.bad,
        "offline": counts.offline,
    }
    return charts.stacked_bar(parts, counts.members, label)


@dataclass(frozen=True, slots=True)
class PhaseView:
    """One step of the track."""

    pk: int
    index: int
    name: str
    weight: float
    look: words.Look
    is_current: bool
    is_manual: bool
    counts: Counts
    bar: SafeString
    notes: list[str]
    grow: int
    state: str


def title(phase: Phase) -> str:
    """The phase's name with a capital, as pages write it."""
    return phase.name[:1].upper() + phase.name[1:]


def look_of(phase: Phase, rollout: Rollout) -> words.Look:
    """How the phase's state is shown: "Sending" or "Applying" by what is outstanding (ui.md 1.2)."""
    look = words.look("phase", phase.state)
    counts = counts_of(phase)
    if phase.state == PhaseState.DEPLOYING and counts.outstanding and not counts.ready:
        look = words.Look("run", "arc", _("Applying"), spins=True)
    if rollout.state == RolloutState.ROLLING_BACK and phase.state in STARTED:
        look = words.Look("bad", "undo", _("Rolling back"))
        if phase.state == PhaseState.FAILED:
            look = words.Look("bad", "octagon-x", _("Failed, rolling back"))
    elif rollout.state in CAME_BACK and 0 < counts.offered <= counts.rolled_back:
        look = _look_back(phase, ways_back.goal(rollout))
    if phase.state == PhaseState.SKIPPED and counts.offered > counts.rolled_back:
        look = words.Look("off", "stop", _("Stopped"))  # its agents have the version
    if phase.state == PhaseState.PENDING and phase.manual:
        look = words.Look("wait", "hourglass", _("Needs approval"))
    if is_rejected(phase, rollout):
        says = _("Rejected by %(name)s") % {"name": rollout.paused_by_name}
        look = words.Look("warn", "person", says)
    return look


def is_rejected(phase: Phase, rollout: Rollout) -> bool:
    """Whether somebody said no to this phase, and the rollout is paused for that."""
    reason = rollout.pause_reason if rollout.state == RolloutState.PAUSED else ""
    is_so = isinstance(reason, Text) and reason.code == REJECTED
    return is_so and phase.state == PhaseState.AWAITING_APPROVAL


def _look_back(phase: Phase, to: str) -> words.Look:
    """How a phase looks whose agents went back: red where it failed, whoever is back by now."""
    if phase.state == PhaseState.FAILED:
        return words.Look("bad", "octagon-x", _("Failed, back on %(to)s") % {"to": to})
    return words.Look("off", "undo", _("Back on %(to)s") % {"to": to})


def notes_of(phase: Phase, rollout: Rollout, counts: Counts) -> list[str]:
    """The short line under the count: what is not fine, or what the phase waits for."""
    if is_rejected(phase, rollout):
        reason = rollout.pause_reason
        return [plain(reason.params.get("reason", "")) if isinstance(reason, Text) else ""]
    notes = tally.failed_parts(counts)
    goes_back = rollout.state == RolloutState.ROLLING_BACK
    if counts.by_effective:
        notes.append(_("%(n)d confirmed by effective config") % {"n": counts.by_effective})
    if phase.state in LIVE and counts.gone:
        notes.append(_("%(n)d not heard of now") % {"n": counts.gone})
    if phase.state in STARTED and counts.offline:
        notes.append(_("%(n)d offline") % {"n": counts.offline})
    if goes_back and phase.state in STARTED and counts.rolled_back < counts.offered:
        notes.append(_("%(n)d coming back") % {"n": counts.offered - counts.rolled_back})
    elif phase.state in LIVE and counts.outstanding:
        notes.append(_("%(n)d applying") % {"n": counts.outstanding})
    if not counts.members and phase.state not in STARTED:
        notes.append(_("0 agents, passes at once"))
    if phase.state == PhaseState.SKIPPED and not counts.offered:
        notes.append(_("never received the version"))
    if phase.state in {PhaseState.PENDING, PhaseState.AWAITING_APPROVAL} and phase.manual:
        notes.append(_("starts when a person approves"))
    return notes


def views(rollout: Rollout, phases: Sequence[Phase]) -> list[PhaseView]:
    """Return the steps of the track, in order. Width follows the share of agents, in 5 % steps."""
    total = sum(counts_of(p).members for p in phases) or 1
    return [_view(rollout, phase, total) for phase in phases]


def _view(rollout: Rollout, phase: Phase, total: int) -> PhaseView:
    counts = counts_of(phase)
    current = phase.index == rollout.current_phase and rollout.is_active
    return PhaseView(
        pk=phase.pk,
        index=phase.index,
        name=title(phase),
        weight=phase.weight,
        look=look_of(phase, rollout),
        is_current=current,
        is_manual=phase.manual,
        counts=counts,
        bar=bar_of(phase, rollout, counts),
        notes=notes_of(phase, rollout, counts),
        grow=max(5, round(counts.members / total * 20) * 5),
        state=phase.state,
    )


def state_text(rollout: Rollout, phases: Sequence[Phase]) -> str:
    """ "Staging: observing" while it runs; else "", and the state's own word is shown."""
    if rollout.state != RolloutState.RUNNING:
        return ""
    for phase in phases:
        if phase.index == rollout.current_phase:
            return f"{title(phase)}: {look_of(phase, rollout).word}"
    return ""


def pill_look(rollout: Rollout, phases: Sequence[Phase]) -> words.Look:
    """The pill of a rollout: "running" always with the state of its phase (ui.md 1.2)."""
    own = words.look("rollout", rollout.shown_state)
    text = state_text(rollout, phases)
    if rollout.state in CAME_BACK and any(p.state == PhaseState.FAILED for p in phases):
        return words.Look(
            "bad", own.icon, own.label
        )  # a bad version: not what a person called back
    if not text:
        return own
    current = next(p for p in phases if p.index == rollout.current_phase)
    look = look_of(current, rollout)
    return words.Look(look.token, look.icon, text, look.spins)
