"""Gates as tiles: one reading beside its limit, its age and how many were taken (ui.md 4.6).

The verdict itself is made in `rollouts.analysis`; here it is only put into words and a picture.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.conf import settings
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from console.lib.texts import Text, said, text
from console.pages.rollouts.evidence.chart import ChartMoment, GateChart, chart_of, fails_above
from console.pages.rollouts.evidence.rows import GateReading
from console.words import numbers
from console.words import states as words
from rollouts.analysis.catalogue import CATALOGUE, words_of_source
from rollouts.engine.facts import GateFacts, GateKind
from rollouts.engine.states import PhaseState
from rollouts.models import Phase, Rollback, Rollout
from rollouts.plans.metrics import Source

CLOSE = 0.8  # from 80 % of the way to the limit a passing gate is "close" (ui.md 1.3)
# A guard that is calm is one line; its chart is on the page of its readings.
CALM = frozenset({"passing", "not_started", "no_data", "overridden"})
ORDER = list(words.GATE)


@dataclass(frozen=True, slots=True)
class Tile:
    """One gate, ready to be drawn. `anchor` is stable, so that a tile can be linked."""

    anchor: str
    gate: str
    metric: str
    title: str
    state: str
    look: words.Look
    value: str
    limit: str
    source: str
    at: datetime | None
    readings: int
    agents: int
    sentence: str
    query: str
    graph_url: str
    is_explained: bool
    chart: GateChart | None
    kind: str
    waived_by: str


def state_of(gate: GateFacts) -> str:
    """Return the reading's state of ui.md 1.3. No data is never passing."""
    if gate.waived_by:
        return "overridden"
    if gate.firing or gate.level == "critical" or gate.verdict == "fail" or _is_beyond(gate):
        return "failing"
    if gate.no_data_since is not None:
        return "no_data"
    if gate.at is None:
        return "not_started"
    if gate.verdict == "inconclusive":
        return "inconclusive"
    if gate.level == "warning" or gate.pending_since is not None or is_close(gate):
        return "close"
    return "passing" if gate.verdict == "pass" else "insufficient"


def _value(gate: GateFacts, state: str) -> str:
    """Return the value to be shown: none before the reading is full, and none that is old, or "0 %"
    would look good."""
    return numbers.amount(None if state in {"insufficient", "no_data"} else gate.value, gate.unit)


def _is_beyond(gate: GateFacts) -> bool:
    """Tell whether the newest value is on the forbidden side, whatever may still be missing."""
    if gate.value is None or gate.limit is None or gate.no_data_since is not None:
        return False
    return gate.value > gate.limit if fails_above(gate) else gate.value < gate.limit


def is_close(gate: GateFacts) -> bool:
    """Tell whether the value is at least 80 % of the way from nought to its limit."""
    if gate.value is None or gate.limit is None:
        return False
    if fails_above(gate):
        return gate.limit > 0 and gate.value >= CLOSE * gate.limit
    return gate.limit < 1 and gate.value <= gate.limit + (1 - gate.limit) * (1 - CLOSE)


def limit_text(gate: GateFacts) -> str:
    """`limit 1 % · fails above` of a criterion, `warns at 1 %, acts at 5 %` of a guard."""
    if gate.limit is None:
        return ""
    limit = numbers.amount(gate.limit, gate.unit)
    side = _("fails above") if fails_above(gate) else _("fails below")
    if gate.kind == GateKind.CRITERION:
        return _("limit %(limit)s · %(side)s") % {"limit": limit, "side": side}
    if gate.warning_limit is None:
        return _("acts at %(limit)s") % {"limit": limit}
    warning = numbers.amount(gate.warning_limit, gate.unit)
    return _("warns at %(warning)s, acts at %(limit)s") % {"warning": warning, "limit": limit}


def _said(gate: GateFacts, is_decided: bool) -> str:
    """Return the sentence, and what the value was compared with and made from."""
    told = _decided(gate.sentence) if is_decided else gate.sentence
    sentence, note = said(told), said(gate.note)
    is_said = gate.no_data_since is not None or note in sentence
    if not sentence or is_said:
        return sentence or note
    return f"{sentence} {note[:1].upper()}{note[1:]}."


def _decided(sentence: Text | str) -> Text | str:
    """Return what is said of a gate once the phase was decided: nothing is waited for any more."""
    judged = sentence.params.get("judged") if isinstance(sentence, Text) else None
    if not isinstance(sentence, Text) or not isinstance(judged, Text):
        return sentence
    if judged.code != "gate.must_be_but":
        return sentence
    then = text("gate.had_to_be", wanted=judged.params["wanted"])
    return Text(sentence.code, {**sentence.params, "judged": then})


def _graph_url(gate: GateFacts) -> str:
    """Return where Prometheus draws the query, "" when it was not asked."""
    if gate.source != Source.PROMETHEUS or not gate.query or not settings.PROMETHEUS_URL:
        return ""
    asked = urlencode({"g0.expr": gate.query, "g0.tab": "0"})
    return f"{settings.PROMETHEUS_URL.rstrip('/')}/graph?{asked}"


def anchor_of(gate: str) -> str:
    """Return the name under which a gate can be linked on its rollout's page."""
    return "gate-" + slugify(gate.replace(":", " ").replace("_", " ").replace("@", " "))


def moments_of(rollout: Rollout, phase: Phase) -> list[ChartMoment]:
    """Return the moments that the charts of a phase mark: from when its readings count, and what
    ended it. Asks the database nothing."""
    sent = ChartMoment(phase.deployed_at, _("all sent")) if phase.deployed_at is not None else None
    return [moment for moment in (sent, decision_of(rollout, phase)) if moment is not None]


def starts_of(rollout: Rollout) -> list[ChartMoment]:
    """Return the starts of the phases."""
    begun = ((phase.started_at, phase.name) for phase in rollout.phases.all())
    return [ChartMoment(at, name) for at, name in begun if at is not None]


_ENDED = {
    PhaseState.PASSED: gettext_lazy("passed"),
    PhaseState.FAILED: gettext_lazy("failed"),
    PhaseState.SKIPPED: gettext_lazy("stopped"),
}


def decision_of(rollout: Rollout, phase: Phase | None = None) -> ChartMoment | None:
    """Return the decision that ended the watching of a phase, or of the rollout as a whole."""
    rollback: Rollback | None = getattr(rollout, "rollback", None)
    if rollback is not None:
        return ChartMoment(rollback.decided_at, _("rollback decided"), is_decision=True)
    if phase is not None and phase.finished_at is not None and phase.state in _ENDED:
        return ChartMoment(
            phase.finished_at, str(_ENDED[PhaseState(phase.state)]), is_decision=True
        )
    return None


def tiles(
    gates: Iterable[GateFacts],
    readings: Mapping[str, Sequence[GateReading]],
    since: datetime,
    until: datetime,
    moments: Sequence[ChartMoment] = (),
) -> list[Tile]:
    """Return the tiles in the order failing, no data, close, passing; charts go from `since` to
    `until`."""
    found = []
    is_decided = any(moment.is_decision for moment in moments)
    for gate in gates:
        own = readings.get(gate.gate, [])
        state = state_of(gate)
        look = words.look("gate", state)
        if gate.waived_by:
            look = words.Look(
                look.token, look.icon, _("Overridden by %(name)s") % {"name": gate.waived_by}
            )
        found.append(
            Tile(
                anchor=anchor_of(gate.gate),
                gate=gate.gate,
                metric=gate.metric,
                title=said(gate.title),
                state=state,
                look=look,
                value=_value(gate, state),
                limit=limit_text(gate),
                source=said(words_of_source(gate.source)),
                at=gate.at,
                readings=gate.readings,
                agents=gate.agents,
                sentence=_said(gate, is_decided),
                query=said(gate.query),
                graph_url=_graph_url(gate),
                is_explained=gate.metric in CATALOGUE,
                chart=None
                if gate.kind is not GateKind.CRITERION and state in CALM
                else chart_of(gate, own, since, until, moments),
                kind=gate.kind,
                waived_by=gate.waived_by or "",
            )
        )
    return sorted(found, key=lambda tile: ORDER.index(tile.state))


def summary(found: Sequence[Tile]) -> str:
    """Count gates and guards apart, each by what they say: `2 gates: 2 passing · 1 guard: 1 failing`."""
    criteria = [tile for tile in found if tile.kind == GateKind.CRITERION]
    guards = [tile for tile in found if tile.kind != GateKind.CRITERION]
    parts = []
    if criteria:
        names = {"n": len(criteria), "parts": _counted(criteria)}
        parts.append(
            ngettext("%(n)d gate: %(parts)s", "%(n)d gates: %(parts)s", len(criteria)) % names
        )
    if guards:
        names = {"n": len(guards), "parts": _counted(guards)}
        parts.append(
            ngettext("%(n)d guard: %(parts)s", "%(n)d guards: %(parts)s", len(guards)) % names
        )
    return " · ".join(parts)


def _counted(found: Sequence[Tile]) -> str:
    """Count tiles by what they say; the numbers add up."""
    counts = dict.fromkeys(("failing", "no_data", "open", "passing"), 0)
    for tile in found:
        counts[_SAYS.get(tile.state, "open")] += 1
    words_of = {
        "failing": _("%(n)d failing"),
        "no_data": _("%(n)d without data"),
        "open": _("%(n)d not decided"),
        "passing": _("%(n)d passing"),
    }
    return ", ".join(words_of[name] % {"n": n} for name, n in counts.items() if n)


_SAYS = {
    "failing": "failing",
    "no_data": "no_data",
    "passing": "passing",
    "close": "passing",
    "overridden": "passing",
}
