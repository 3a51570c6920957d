"""A phase as pages show it: state, share of the agents, counts, bar. Pure over model rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from console.pages import charts, words
from console.pages.charts import Part
from rollouts.engine.states import PhaseState, RolloutState
from rollouts.models import Phase, Rollout

LIVE = frozenset({PhaseState.DEPLOYING, PhaseState.OBSERVING})
STARTED = LIVE | {PhaseState.PASSED, PhaseState.FAILED, PhaseState.ROLLED_BACK}


@dataclass(frozen=True, slots=True)
class Counts:
    """How many members of a phase are where; kept by the tick in `Phase.counts`."""

    members: int
    applied: int
    failed: int
    applying: int
    offline: int
    unhealthy: int
    confirmed: int

    @classmethod
    def of(cls, phase: Phase) -> Counts:
        """Read the counts; what is not there yet is nought."""
        counts = phase.counts or {}

        def number(name: str) -> int:
            return int(counts.get(name) or 0)

        failed = number("failed") + number("timed_out")
        return cls(
            members=number("members"),
            applied=number("applied"),
            failed=failed,
            applying=number("offered"),
            offline=number("offline"),
            unhealthy=number("unhealthy"),
            confirmed=number("confirmed") or number("applied") + failed,
        )

    @property
    def rest(self) -> int:
        """Members that are neither applied, failed, applying nor offline: not started or queued."""
        return max(0, self.members - self.applied - self.failed - self.applying - self.offline)

    def parts(self, *, started: bool) -> list[Part]:
        """The bar from good to not started."""
        parts = [
            Part("applied", self.applied),
            Part("failed", self.failed),
            Part("applying", self.applying),
        ]
        if started:
            parts += [Part("offline", self.offline), Part("queued", self.rest)]
        return parts

    def sentence(self) -> str:
        """What the bar says to those who do not see it."""
        return _("%(applied)d of %(members)d applied, %(failed)d failed, %(offline)d offline") % {
            "applied": self.applied,
            "members": self.members,
            "failed": self.failed,
            "offline": self.offline,
        }


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
    counts = Counts.of(phase)
    if phase.state == PhaseState.DEPLOYING and counts.applying and not counts.rest:
        look = words.Look("run", "arc", _("Applying"), spins=True)
    if rollout.state == RolloutState.ROLLING_BACK and phase.state in STARTED:
        look = words.Look("bad", "undo", _("Rolling back"))
    if phase.state == PhaseState.PENDING and phase.manual:
        look = words.Look("wait", "hourglass", _("Needs approval"))
    return look


def notes_of(phase: Phase, counts: Counts) -> list[str]:
    """The short line under the count: what is not fine, or what the phase waits for."""
    notes = []
    if counts.failed:
        notes.append(ngettext("%(n)d failed", "%(n)d failed", counts.failed) % {"n": counts.failed})
    if counts.unhealthy:
        notes.append(
            ngettext("%(n)d unhealthy", "%(n)d unhealthy", counts.unhealthy)
            % {"n": counts.unhealthy}
        )
    if phase.state in STARTED and counts.offline:
        notes.append(
            ngettext("%(n)d offline", "%(n)d offline", counts.offline) % {"n": counts.offline}
        )
    if phase.state in LIVE and counts.applying:
        notes.append(_("%(n)d applying") % {"n": counts.applying})
    if not counts.members and phase.state not in STARTED:
        notes.append(_("0 agents, passes at once"))
    if phase.state == PhaseState.SKIPPED:
        notes.append(_("never received the version"))
    if phase.state in {PhaseState.PENDING, PhaseState.AWAITING_APPROVAL} and phase.manual:
        notes.append(_("starts when a person approves"))
    return notes


def views(rollout: Rollout, phases: Sequence[Phase]) -> list[PhaseView]:
    """Return the steps of the track, in order. Width follows the share of agents, in 5 % steps."""
    total = sum(Counts.of(p).members for p in phases) or 1
    return [_view(rollout, phase, total) for phase in phases]


def _view(rollout: Rollout, phase: Phase, total: int) -> PhaseView:
    counts = Counts.of(phase)
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
        bar=charts.stacked_bar(
            counts.parts(started=phase.state in STARTED), counts.members, counts.sentence()
        ),
        notes=notes_of(phase, counts),
        grow=max(5, round(counts.members / total * 20) * 5),
        state=phase.state,
    )


def state_text(rollout: Rollout, phases: Sequence[Phase]) -> str:
    """ "Staging: observing" while it runs; else "", and the state's own word is shown."""
    if rollout.state != RolloutState.RUNNING:
        return ""
    for phase in phases:
        if phase.index == rollout.current_phase:
            return f"{title(phase)}: {str(look_of(phase, rollout).label).lower()}"
    return ""


def pill_look(rollout: Rollout, phases: Sequence[Phase]) -> words.Look:
    """The pill of a rollout: "running" always with the state of its phase (ui.md 1.2)."""
    own = words.look("rollout", rollout.state)
    text = state_text(rollout, phases)
    if not text:
        return own
    current = next(p for p in phases if p.index == rollout.current_phase)
    look = look_of(current, rollout)
    return words.Look(look.token, look.icon, text, look.spins)
