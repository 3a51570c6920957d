"""Frozen evidence of an approval as rows: each gate when asked, and now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from console.lib.texts import spoken
from console.pages.rollouts import phases
from console.words import numbers
from console.words import states as words
from rollouts.analysis.catalogue import title_of
from rollouts.engine.floor import FLOOR, floor_gate
from rollouts.models import Approval, Measurement, Phase


@dataclass(frozen=True, slots=True)
class GateRow:
    """One gate: as it was when approval was asked, and as it is now."""

    title: str
    look: words.Look
    asked: str
    now: str
    limit: str
    passes: bool = True


def _state_of(gate: dict[str, object]) -> str:
    if gate.get("waived_by"):
        return "overridden"
    verdict = str(gate.get("verdict") or "")
    if gate.get("no_data_since"):
        return "no_data"
    names = {"pass": "passing", "fail": "failing"}
    return names.get(verdict, verdict if verdict in words.GATE else "insufficient")


def gate_row(
    gate: dict[str, object], latest: Measurement | None, floor: float | None = None
) -> GateRow:
    """Return a gate; `floor` is the share of failed agents now, which nobody measures: it is counted."""
    metric = str(gate.get("metric") or str(gate.get("gate", "")).split(":", 1)[-1])
    unit = str(gate.get("unit") or numbers.unit_of(metric))
    return GateRow(
        title=_title(gate, metric),
        look=words.look("gate", _state_of(gate)),
        asked=numbers.amount(_number(gate.get("value")), unit),
        now=numbers.amount(floor if gate.get("gate") == FLOOR else _value(latest), unit),
        limit=numbers.amount(_number(gate.get("limit", gate.get("threshold"))), unit),
        passes=bool(gate.get("waived_by")) or gate.get("verdict") == "pass",
    )


def _title(gate: dict[str, object], metric: str) -> str:
    """Return the title; a guard and a criterion of one metric are told apart by their names."""
    title = str(spoken(gate.get("title")) or title_of(metric))
    is_guard = str(gate.get("gate", "")).startswith("threshold:")
    return _("%(metric)s (guard)") % {"metric": title} if is_guard else title


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _value(latest: Measurement | None) -> float | None:
    return latest.value if latest is not None else None


def floor_now(steps: Sequence[Phase], before: int) -> float | None:
    """Return the share of failed agents that the floor judges now, of the phases that come before
    the one asked about (by index); None where none has begun."""
    begun = [p for p in steps if p.index < before and p.started_at is not None]
    at = begun[-1].started_at if begun else None
    if at is None:
        return None
    counts = [phases.counts_of(phase) for phase in begun]
    share = float(begun[-1].spec.get("pace", {}).get("tolerated_failures", 0.1))
    return floor_gate(counts[-1], counts, share, at).value


def rows_of(
    approval: Approval,
    latest: dict[tuple[int, str], Measurement],
    floor: float | None = None,
) -> list[GateRow]:
    """Return the gates that were shown with the question; `latest` by (rollout, gate)."""
    gates = (approval.evidence or {}).get("gates") or []
    rollout_id = approval.phase.rollout_id
    return [
        gate_row(gate, latest.get((rollout_id, str(gate.get("gate", "")))), floor)
        for gate in gates
        if isinstance(gate, dict)
    ]


def latest_of(rollout_ids: set[int]) -> dict[tuple[int, str], Measurement]:
    """Return the newest reading of each gate of these rollouts: one query."""
    if not rollout_ids:
        return {}
    found = Measurement.objects.filter(rollout__in=rollout_ids)
    newest = found.order_by("rollout_id", "gate", "-at").distinct("rollout_id", "gate")
    return {(m.rollout_id, m.gate): m for m in newest}
