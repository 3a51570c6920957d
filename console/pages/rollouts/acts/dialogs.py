"""What the dialog of each act says: its consequence in counts, its choices (ui.md 4.6). See `table.py`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from console.pages.rollouts import evidence_rows, phases
from console.pages.rollouts.acts.reach import ReachedCounts, reach_of
from console.pages.rollouts.evidence_rows import GateRow
from rollouts.analysis.catalogue import title_of
from rollouts.analysis.scene import watched_phase
from rollouts.engine.states import PhaseState
from rollouts.models import Approval, Phase, Rollout

TYPE_NUMBER_FROM = 500  # agents; then the rollout's number is typed before it goes on


@dataclass(frozen=True, slots=True)
class Seen:
    """A rollout with its phases in order, as it stood when it was read; `gate` is the one asked about."""

    rollout: Rollout
    steps: Sequence[Phase]
    gate: str = ""

    @classmethod
    def of(cls, rollout: Rollout, gate: str = "") -> Seen:
        """Take the phases that were read with the rollout."""
        return cls(rollout, sorted(rollout.phases.all(), key=lambda phase: phase.index), gate)

    @property
    def current(self) -> Phase | None:
        """The phase that the rollout is at."""
        return next((p for p in self.steps if p.index == self.rollout.current_phase), None)

    @property
    def waiting(self) -> Phase | None:
        """The phase that waits for approval now."""
        return next((p for p in self.steps if p.state == PhaseState.AWAITING_APPROVAL), None)


@dataclass(frozen=True, slots=True)
class Choice:
    """One way to do it."""

    value: str
    label: str
    help: str


@dataclass(frozen=True, slots=True)
class Dialog:
    """One dialog, ready to be drawn. `digest` binds an approval to the evidence it was asked on."""

    title: str
    say: str
    button: str
    done: str
    reason_required: bool = False
    is_danger: bool = False
    effects: list[tuple[str, str]] = field(default_factory=list)
    choices: list[Choice] = field(default_factory=list)
    choices_title: str = ""
    type_number: bool = False
    phase: str = ""
    digest: str = ""
    gates: list[GateRow] = field(default_factory=list)
    asked_at: datetime | None = None
    gate: str = ""


def _versions(rollout: Rollout) -> tuple[str, str]:
    new = f"v{rollout.version.number}"
    old = rollout.previous_version
    return new, f"v{old.number}" if old else _("the version each ran before")


def pause(seen: Seen) -> Dialog:
    rollout = seen.rollout
    current = seen.current
    applying = phases.counts_of(current).outstanding if current else 0
    say = _("Nothing more is sent until someone resumes. Guards keep watching.")
    if applying:
        say = ngettext(
            "Nothing more is sent until someone resumes. %(n)d agent that is applying will finish.",
            "Nothing more is sent until someone resumes. %(n)d agents that are applying will finish.",
            applying,
        ) % {"n": applying}
    return Dialog(
        _("Pause %(number)s") % {"number": rollout.number},
        say,
        _("Pause rollout"),
        _("%(number)s is paused.") % {"number": rollout.number},
    )


def resume(seen: Seen) -> Dialog:
    rollout = seen.rollout
    return Dialog(
        _("Resume %(number)s") % {"number": rollout.number},
        _("The rollout goes on where it stopped. Observation needs its full time of readings."),
        _("Resume rollout"),
        _("%(number)s goes on.") % {"number": rollout.number},
    )


def advance(seen: Seen) -> Dialog:
    rollout = seen.rollout
    current = seen.current
    name = phases.title(current) if current else ""
    return Dialog(
        _("Advance %(number)s now") % {"number": rollout.number},
        _(
            "Skips the rest of the observation in %(phase)s. What has not shown itself by now is not waited for."
        )
        % {"phase": name},
        _("Skip observation"),
        _("Observation of %(phase)s was skipped.") % {"phase": name},
        reason_required=True,
        phase=current.name if current else "",
    )


def approve(seen: Seen) -> Dialog:
    rollout = seen.rollout
    phase = seen.waiting
    approval = _waiting_approval(phase)
    name = phases.title(phase) if phase else _("the next phase")
    members = phases.counts_of(phase).members if phase else 0
    new, _old = _versions(rollout)
    say = _(
        "Sends %(new)s to %(n)d more agents, then observes them. If a gate fails, all agents that have %(new)s by then go back."
    )
    return Dialog(
        _("Approve %(phase)s of %(number)s") % {"phase": name, "number": rollout.number},
        say % {"new": new, "n": members},
        ngettext("Approve %(n)d agent", "Approve %(n)d agents", members) % {"n": members},
        _("%(phase)s of %(number)s is approved.") % {"phase": name, "number": rollout.number},
        type_number=members > TYPE_NUMBER_FROM,
        phase=phase.name if phase else "",
        **_evidence(approval, seen),
    )


def reject(seen: Seen) -> Dialog:
    rollout = seen.rollout
    phase = seen.waiting
    approval = _waiting_approval(phase)
    name = phases.title(phase) if phase else _("the next phase")
    return Dialog(
        _("Reject %(phase)s of %(number)s") % {"phase": name, "number": rollout.number},
        _(
            "%(phase)s does not start. The rollout pauses with your reason; agents keep what they run."
        )
        % {"phase": name},
        _("Reject %(phase)s") % {"phase": name},
        _("%(phase)s of %(number)s is rejected.") % {"phase": name, "number": rollout.number},
        reason_required=True,
        is_danger=True,
        phase=phase.name if phase else "",
        **_evidence(approval, seen),
    )


def waive(seen: Seen) -> Dialog:
    """Override one gate: the person's word stands instead of the missing or failed reading."""
    phase, gate = watched_phase(seen.steps), seen.gate
    name = phases.title(phase) if phase else ""
    title = title_of(gate.split(":", 1)[-1].split("@", 1)[0])
    return Dialog(
        _("Override %(gate)s in %(phase)s") % {"gate": title, "phase": name},
        _(
            "The gate counts as passed until %(phase)s ends. Your name, your reason and the reading stay in the timeline."
        )
        % {"phase": name},
        _("Override gate"),
        _("%(gate)s is overridden in %(phase)s.") % {"gate": title, "phase": name},
        reason_required=True,
        phase=phase.name if phase else "",
        gate=gate,
    )


def _evidence(approval: Approval | None, seen: Seen) -> dict[str, Any]:
    """Return what the decision is bound to: the evidence that was frozen with the question."""
    if approval is None:
        return {}
    latest = evidence_rows.latest_of({approval.phase.rollout_id})
    return {
        "digest": approval.digest,
        "gates": evidence_rows.rows_of(
            approval, latest, evidence_rows.floor_now(seen.steps, approval.phase.index)
        ),
        "asked_at": approval.asked_at,
    }


def _waiting_approval(phase: Phase | None) -> Approval | None:
    found = Approval.objects.waiting().select_related("phase").filter(phase=phase)
    return found.first() if phase else None


def cancel(seen: Seen) -> Dialog:
    """Abort before anything was sent."""
    number = seen.rollout.number
    return Dialog(
        _("Cancel %(number)s") % {"number": number},
        _("The rollout does not start. Nothing has been sent."),
        _("Cancel rollout"),
        _("%(number)s is cancelled.") % {"number": number},
        reason_required=True,
    )


def discard(seen: Seen) -> Dialog:
    """Give a draft up."""
    number = seen.rollout.number
    return Dialog(
        _("Discard the draft %(number)s") % {"number": number},
        _("It never starts. Nothing has been sent; the draft and its agents stay readable."),
        _("Discard draft"),
        _("The draft %(number)s is discarded.") % {"number": number},
    )


def abort(seen: Seen) -> Dialog:
    rollout, reach = seen.rollout, reach_of(seen.rollout)
    back = _way_back(rollout, reach)
    _new, old = _versions(rollout)
    choices = [
        Choice("rollback", _("Roll back to %(old)s") % {"old": old}, _("Most recent phase first, each agent confirmed by its reported hash.")),
        Choice("leave", _("Stop and leave them as they are"), _("%(n)d agents keep what they run now. Two versions stay in use.") % {"n": reach.received}),
    ]  # fmt: skip
    return Dialog(
        _("Abort %(number)s and roll back") % {"number": rollout.number},
        back.say,
        back.button,
        _("%(number)s is aborted.") % {"number": rollout.number},
        reason_required=True,
        is_danger=True,
        effects=back.effects,
        choices=choices,
        choices_title=ngettext(
            "What happens to the %(n)d agent", "What happens to the %(n)d agents", reach.received
        )
        % {"n": reach.received},
        type_number=back.type_number,
    )


def rollback(seen: Seen) -> Dialog:
    return _way_back(seen.rollout, reach_of(seen.rollout))


def _way_back(rollout: Rollout, reach: ReachedCounts) -> Dialog:
    new, old = _versions(rollout)
    say = ngettext(
        "%(n)d agent received %(new)s. It returns to %(old)s. %(new)s is not offered again until someone lifts that.",
        "%(n)d agents received %(new)s. They return to %(old)s, the most recent phase first. %(new)s is not offered to them again until someone lifts that.",
        reach.received,
    ) % {"n": reach.received, "new": new, "old": old}
    return Dialog(
        _("Roll back %(number)s") % {"number": rollout.number},
        say,
        ngettext("Roll back %(n)d agent", "Roll back %(n)d agents", reach.received) % {"n": reach.received},
        _("%(number)s is being rolled back.") % {"number": rollout.number},
        reason_required=True,
        is_danger=True,
        effects=[
            (_("Return to %(old)s") % {"old": old}, f"{reach.received:,}"),
            (_("Never received %(new)s") % {"new": new}, f"{reach.never:,}"),
            (_("Ready to return"), _("%(n)s of %(m)s") % {"n": f"{reach.ready:,}", "m": f"{reach.received:,}"}),
        ],
        type_number=reach.received > TYPE_NUMBER_FROM,
    )  # fmt: skip


def retry(seen: Seen) -> Dialog:
    rollout = seen.rollout
    failed = reach_of(rollout).failed
    new, _old = _versions(rollout)
    return Dialog(
        _("Retry the failed agents of %(number)s") % {"number": rollout.number},
        ngettext(
            "A new rollout offers %(new)s to %(n)d agent that failed. What it refused before is offered again, once.",
            "A new rollout offers %(new)s to the %(n)d agents that failed. What they refused before is offered again, once.",
            failed,
        )
        % {"new": new, "n": failed},
        ngettext("Retry %(n)d agent", "Retry %(n)d agents", failed) % {"n": failed},
        _("A new rollout of the failed agents is drafted."),
    )
