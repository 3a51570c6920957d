"""The metrics of the catalogue as PromQL, and their answers made comparable.

Per agent one number over a window after the change, and one over a window before it. They are put
into the shape of own metrics (two points), so that both sources are judged by the same code.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from agents.own_metrics import SIGNALS
from console.lib.texts import Text, text
from rollouts.analysis import comparing, estimates, flows
from rollouts.analysis.cohort import FEWEST_STILL_SENDING, STALE_S, settling_of, warm_up_of
from rollouts.analysis.comparing import Comparison, Slope
from rollouts.analysis.points import AgentSeries, Point
from rollouts.analysis.readings import Outcome
from rollouts.analysis.scene import Member, Scene
from rollouts.analysis.sources.prometheus_agents import Known, Merge
from rollouts.plans.metrics import Compare
from rollouts.promql import build
from rollouts.promql.names import spellings

LONGEST_WINDOW_S, SHORTEST_WINDOW_S = 1800.0, 10.0
SHORTEST_BEFORE_S = 300.0
# Agents that changed last may be left out for now, so that one latecomer does not shorten the window
# of all.
_MOST_LATE = 0.05
_LOGS = spellings("otelcol_log_records")
_ERROR_LEVELS = "error|ERROR|fatal|FATAL|panic|critical"


_Build = Callable[[float], str]


@dataclass(frozen=True, slots=True)
class Windows:
    """Over which time agents are read: seconds back from now, and back from the split."""

    members: tuple[Member, ...]
    after_s: float
    before_s: float
    split_at: datetime
    warm_up_s: float

    @classmethod
    def of(cls, scene: Scene) -> Windows | None:
        """Return the windows of the watched phase, None while no agent has run long enough."""
        warm_up_s = warm_up_of(float(scene.phase.spec["duration_s"]))
        ready: list[tuple[float, Member]] = []
        for member in scene.changed:
            since = (member.changed_at or scene.since) + timedelta(seconds=warm_up_s)
            ready.append(((scene.now - since).total_seconds(), member))
        ready = [one for one in ready if one[0] >= SHORTEST_WINDOW_S]
        if not ready:
            return None
        ready.sort(key=lambda one: one[0])
        ready = ready[int(len(ready) * _MOST_LATE) :]
        after_s = min(LONGEST_WINDOW_S, ready[0][0])
        return cls(
            members=tuple(member for _, member in ready),
            after_s=after_s,
            before_s=min(LONGEST_WINDOW_S, max(after_s, SHORTEST_BEFORE_S)),
            split_at=scene.phase.started_at or scene.now,
            warm_up_s=warm_up_s,
        )


class Asked:
    """Asks per-agent numbers for the windows of a scene, and joins them with its cohorts."""

    def __init__(self, known: Known, scene: Scene, windows: Windows) -> None:
        self._known = known
        self._scene = scene
        self.windows = windows
        self.first_query = ""

    @property
    def duration_s(self) -> float:
        return float(self._scene.phase.spec["duration_s"])

    @property
    def members(self) -> Sequence[Member]:
        return self.windows.members

    @property
    def controls(self) -> Sequence[Member]:
        return self._scene.control

    @property
    def grouping(self) -> tuple[str, ...]:
        """The labels that name agents, to group by."""
        return self._known.grouping

    def after(self, build: Callable[[float], str], merge: Merge = sum) -> dict[int, float]:
        """Ask for the window after the change; `build` makes the query for so many seconds. Returns
        values by agent, `merge`d where it has several series."""
        query = build(self.windows.after_s)
        self.first_query = self.first_query or query
        return self._known.values(query, self._scene.now, merge)

    def before(self, build: Callable[[float], str], merge: Merge = sum) -> dict[int, float]:
        """Ask for the window before the phase began."""
        return self._known.values(build(self.windows.before_s), self.windows.split_at, merge)

    def why_stale(self) -> tuple[Outcome, Text] | None:
        """Say that the newest samples of these agents are old, or that agents fell silent."""
        query = build.by("max", self.grouping, build.first_of("timestamp", _CPU, None))
        newest = self._known.values(query, self._scene.now, max)
        known = [newest[m.agent_id] for m in self.members if m.agent_id in newest]
        before = self._known.values(query, self.windows.split_at, max)
        had = sum(member.agent_id in before for member in self.members)
        if not known:
            if had:
                return Outcome.STALE, text("reading.no_samples_any_more")
            return Outcome.NO_DATA, text("reading.knows_none")
        fresh_since = self._scene.now.timestamp() - STALE_S
        fresh = sum(at >= fresh_since for at in known)
        if not fresh:
            age_s = self._scene.now.timestamp() - max(known)
            return Outcome.STALE, text("reading.newest_old", seconds=age_s)
        if fresh < FEWEST_STILL_SENDING * had:
            return Outcome.STALE, text("reading.samples_still", still=fresh, had=had)
        return None


def _series(
    members: Sequence[Member],
    after: Callable[[int], Point | None],
    before: Callable[[int], Point | None],
) -> list[AgentSeries]:
    """Make two-point series: from nothing to the increase over the window."""
    found = []
    for member in members:
        new, old = after(member.agent_id), before(member.agent_id)
        if new is not None:
            found.append(
                AgentSeries(
                    agent_id=member.agent_id,
                    before=(Point(at=0.0), old) if old is not None else (),
                    after=(Point(at=0.0), new),
                    stratum=member.stratum,
                )
            )
    return found


# --- CPU -----------------------------------------------------------------------------------

# Its own name first: on a host a collector has it alone.
_CPU = spellings("otelcol_process_cpu_seconds")
_RSS = [name for name in spellings("otelcol_process_memory_rss") if not name.endswith("_total")]


def _per_agent(asked: Asked, function: str, names: Sequence[str], *more: str) -> _Build:
    """Return what asks for `function` over a window, summed by agent."""

    def query(window_s: float) -> str:
        inside = build.first_of(function, names, window_s)
        return build.by("sum", [*asked.grouping, *more], inside)

    return query


def _cpu(asked: Asked, compare: Compare) -> Comparison:
    query = _per_agent(asked, "rate", _CPU)
    new, old = asked.after(query), asked.before(query)

    def point(values: Mapping[int, float]) -> Callable[[int], Point | None]:
        return lambda i: Point(at=1.0, cpu_s=values[i]) if i in values else None

    changed = _series(asked.members, point(new), point(old))
    control = _series(asked.controls, point(new), point(old))
    if 0 < len(changed) < estimates.FEWEST_AGENTS:
        return Comparison(None, text("prometheus.too_few_agents", count=len(changed)))
    return comparing.cpu_increase(changed, control, compare)


# --- Memory --------------------------------------------------------------------------------


def _memory(asked: Asked, compare: Compare) -> Comparison:
    settling_s = settling_of(asked.duration_s)

    def query(window_s: float) -> str:
        window_s = max(SHORTEST_WINDOW_S, window_s - settling_s)
        grown = build.first_of("deriv", _RSS, window_s)
        return f"60 * {build.by('max', asked.grouping, grown)}"

    def slopes(values: Mapping[int, float], members: Sequence[Member]) -> list[Slope]:
        return [Slope(values[m.agent_id]) for m in members if m.agent_id in values]

    new = asked.after(query, max)
    after, base = slopes(new, asked.members), []
    if compare is Compare.BEFORE:
        base = slopes(asked.before(query, max), asked.members)
    elif compare is Compare.CONTROL:
        base = slopes(new, asked.controls)
    return comparing.growth(after, base, compare, len(after))


# --- Latency -------------------------------------------------------------------------------

_SECONDS = ["http_client_request_duration_seconds_bucket", "http_client_request_duration_bucket"]
_SECONDS += ["rpc_client_call_duration_seconds_bucket"]
_MILLISECONDS = ["rpc_client_duration_milliseconds_bucket", "http_client_duration_bucket"]
_MILLISECONDS += ["http_client_duration_milliseconds_bucket"]
_MILLISECONDS += ["otelcol_exporter_send_latency_milliseconds_bucket"]
_MILLISECONDS += ["otelcol_processor_batch_send_latency_milliseconds_bucket"]


def _latency(asked: Asked, compare: Compare) -> Comparison:
    """Mean over agents of each agent's 95th percentile."""

    def query(window_s: float) -> str:
        seconds, millis = (
            f"histogram_quantile(0.95, {_per_agent(asked, 'rate', names, 'le')(window_s)})"
            for names in (_SECONDS, _MILLISECONDS)
        )
        return f"1000 * {seconds} or {millis}"

    def of(values: Mapping[int, float], members: Sequence[Member]) -> list[float]:
        return [values[m.agent_id] for m in members if m.agent_id in values]

    new = asked.after(query, max)
    after = of(new, asked.members)
    if not after:
        return Comparison(None, text("latency.none_in_prometheus"))
    found = estimates.mean(after, len(after))
    if compare is Compare.ABSOLUTE:
        return Comparison(found)
    is_control = compare is Compare.CONTROL
    base = of(new, asked.controls) if is_control else of(asked.before(query, max), asked.members)
    if not base:
        return Comparison(None, text("latency.nothing_to_compare"))
    return Comparison(
        comparing.difference(found, estimates.mean(base, len(base))), text("reading.as_difference")
    )


# --- What flows through --------------------------------------------------------------------


_Values = Mapping[tuple[str, str], Mapping[int, float]]
_NAMES = {
    "received": ("otelcol_receiver_accepted_{}",),
    "sent": ("otelcol_exporter_sent_{}",),
    "failed": ("otelcol_exporter_send_failed_{}", "otelcol_exporter_enqueue_failed_{}"),
}


def _increase(asked: Asked, names: Sequence[str]) -> _Build:
    """Return what asks for the increase of several counters together, each under its spellings."""

    def query(window_s: float) -> str:
        parts = [build.first_of("increase", spellings(name), window_s) for name in names]
        # Marked apart, for `or` leaves out what it has seen under the same labels.
        parts[1:] = [
            f'label_replace({part}, "counter", "{n}", "", "")' for n, part in enumerate(parts[1:])
        ]
        return build.by("sum", asked.grouping, " or ".join(parts))

    return query


def _flow_cohorts(
    asked: Asked, *, with_before: bool
) -> tuple[list[AgentSeries], list[AgentSeries]]:
    """Ask what was received, sent and failed, by signal; of changed agents and of the control."""
    queries = {
        (flow, signal): _increase(asked, [name.format(signal) for name in templates])
        for flow, templates in _NAMES.items()
        for signal in SIGNALS
    }
    new = {key: asked.after(query) for key, query in queries.items()}
    old = {key: asked.before(query) for key, query in queries.items()} if with_before else {}

    def series(members: Sequence[Member]) -> list[AgentSeries]:
        return _series(members, lambda i: _flow_point(new, i), lambda i: _flow_point(old, i))

    return series(asked.members), series(asked.controls)


def _flow_point(values: _Values, agent: int) -> Point | None:
    """A series that is missing beside a present one of the agent is zero."""
    found = {
        flow: tuple(values.get((flow, signal), {}).get(agent) for signal in SIGNALS)
        for flow in ("received", "sent", "failed")
    }
    present = [any(found[flow][n] is not None for flow in found) for n in range(len(SIGNALS))]
    if not any(present):
        return None
    filled = {
        flow: tuple(
            (value or 0.0) if is_present else None
            for value, is_present in zip(row, present, strict=True)
        )
        for flow, row in found.items()
    }
    return Point(at=1.0, received=filled["received"], sent=filled["sent"], failed=filled["failed"])


def _failures(asked: Asked, compare: Compare) -> Comparison:
    changed, control = _flow_cohorts(asked, with_before=compare is Compare.BEFORE)
    return flows.failure_rate(changed, control, compare)


def _continuity(asked: Asked, compare: Compare) -> Comparison:
    changed, control = _flow_cohorts(asked, with_before=compare is Compare.BEFORE)
    return flows.data_continuity(changed, control, compare)


def _errors(asked: Asked, function: str, window: Callable[[float], float]) -> Comparison:
    def query(window_s: float) -> str:
        level = f"level=~{build.quoted(_ERROR_LEVELS)}"
        inside = build.first_of(function, _LOGS, window(window_s), level)
        return build.by("sum", asked.grouping, inside)

    values = asked.after(query)
    found = [values[m.agent_id] for m in asked.members if m.agent_id in values]
    if not found:
        return Comparison(None, text("errors.not_counted"))
    return Comparison(estimates.Estimate(sum(found), None, None, len(found), len(found)))


def _error_count(asked: Asked, compare: Compare) -> Comparison:
    return _errors(asked, "increase", lambda window_s: window_s)


def _error_rate(asked: Asked, compare: Compare) -> Comparison:
    answer = _errors(asked, "rate", lambda window_s: min(window_s, flows.RATE_WINDOW_S))
    if answer.estimate is None:
        return answer
    return Comparison(replace(answer.estimate, value=60 * answer.estimate.value), answer.note)


METRICS: dict[str, Callable[[Asked, Compare], Comparison]] = {
    "cpu_increase": _cpu,
    "memory_growth": _memory,
    "latency_p95": _latency,
    "failure_rate": _failures,
    "data_continuity": _continuity,
    "error_count": _error_count,
    "error_rate": _error_rate,
}
