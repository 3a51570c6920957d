from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.lib.problems import Invalid
from console.lib.quantities import Unit
from rollouts.plans.builtin import NAMES, builtin_plan
from rollouts.plans.metrics import Compare, Direction, Source
from rollouts.plans.parse import parse_plan, parse_thresholds, plan_from_data
from rollouts.plans.plan import (
    OnNoData,
    Operator,
    Pace,
    Plan,
    RollbackMethod,
    TriggerAction,
)

FULL = """\
name: careful
description: every key
phases:
  - name: canary
    description: first look
    selector: {labels: {env: canary}}
    weight: 10%
    duration: 15m
    auto_advance: true
    success_criteria:
      - {metric: failure_rate, operator: "<", threshold: 0.001}
      - {metric: queue, operator: "<=", threshold: 0.9, query: max(q), compare: control, source: prometheus}
    min_agents: 5
    quorum: 80%
  - {weight: 50%, duration: 1h30m}
  - {name: production, weight: 100%, duration: 24h, auto_advance: false}
thresholds:
  failure_rate: {warning: 0.1%, critical: 0.5%}
  cpu_increase: {warning: 5%, critical: 10%, compare: control}
  latency_p95: {warning: 50ms, critical: 100ms}
  error_rate: {warning: 10 errors/min, critical: 50 errors/min}
  data_continuity: {warning: 99%, critical: 95%}
  free_space: {warning: 20, critical: 10, query: min(free)}
rollback:
  enabled: true
  triggers:
    - name: export_failures
      condition: rate(otelcol_exporter_send_failed_spans[5m]) > 0.001
      for: 5m
      action: pause
  strategy: {method: gradual, preserve_history: true, max_rollback_depth: 3}
min_agents: 2
min_samples: 5
on_no_data: fail
apply_timeout: 3m
health_grace: 20s
max_in_flight: 50
bake: 10m
promote_rest: false
offline: {exclude_after: 7d}
spread: region
source: [own_metrics, opamp]
"""


@pytest.fixture(scope="module")
def full() -> Plan:
    return parse_plan(FULL)


def test_phases_are_read(full: Plan) -> None:
    assert [(p.name, p.weight, p.duration_s, p.is_manual) for p in full.phases] == [
        ("canary", 0.1, 900.0, False),
        ("50%", 0.5, 5400.0, False),
        ("production", 1.0, 86400.0, True),
    ]


def test_a_phase_selector_is_kept_as_text(full: Plan) -> None:
    assert [phase.selector for phase in full.phases] == ["env=canary", None, None]


def test_criteria_are_read(full: Plan) -> None:
    failure_rate, queue = full.phases[0].success_criteria
    assert (failure_rate.operator, failure_rate.threshold) == (Operator.LT, 0.001)
    assert failure_rate.sources == (Source.OWN_METRICS, Source.OPAMP)
    assert (queue.query, queue.compare) == ("max(q)", Compare.CONTROL)
    assert queue.sources == (Source.PROMETHEUS,)


def test_a_phase_takes_from_the_plan_what_it_does_not_say(full: Plan) -> None:
    canary, half = full.phases[0].pace, full.phases[1].pace
    assert (canary.min_agents, canary.quorum, canary.min_samples) == (5, 0.8, 5)
    assert half == full.pace
    assert half == Pace(2, 5, OnNoData.FAIL, 180.0, 20.0, 0.9, 50, "region")


def test_thresholds_are_in_base_units(full: Plan) -> None:
    levels = {t.metric: (t.warning, t.critical, t.unit) for t in full.thresholds}
    assert levels["failure_rate"] == (0.001, 0.005, Unit.FRACTION)
    assert levels["latency_p95"] == (50.0, 100.0, Unit.MS)
    assert levels["error_rate"] == (10.0, 50.0, Unit.ERRORS_PER_MIN)


def test_a_threshold_knows_its_bad_side(full: Plan) -> None:
    sides = {t.metric: t.direction for t in full.thresholds}
    assert sides["failure_rate"] is Direction.ABOVE
    assert sides["data_continuity"] is Direction.BELOW
    assert sides["free_space"] is Direction.BELOW


def test_a_metric_is_compared_as_it_should_be_unless_told(full: Plan) -> None:
    compares = {t.metric: t.compare for t in full.thresholds}
    assert compares["data_continuity"] is Compare.BEFORE
    assert compares["cpu_increase"] is Compare.CONTROL
    assert compares["error_rate"] is Compare.ABSOLUTE


def test_what_a_plan_compares_all_with_counts_where_it_can_be_done() -> None:
    levels = "{warning: 9%}, error_rate: {warning: 9 errors/min}"
    plan = parse_plan(one_phase(f"compare: control\nthresholds: {{failure_rate: {levels}}}"))
    compares = {t.metric: t.compare for t in plan.thresholds}
    assert compares == {"failure_rate": Compare.CONTROL, "error_rate": Compare.ABSOLUTE}


def test_rollback_is_read(full: Plan) -> None:
    (trigger,) = full.rollback.triggers
    assert (trigger.name, trigger.for_s, trigger.action) == (
        "export_failures",
        300.0,
        TriggerAction.PAUSE,
    )
    assert full.rollback.strategy.method is RollbackMethod.GRADUAL
    assert full.rollback.strategy.max_rollback_depth == 3


def test_the_rest_is_read(full: Plan) -> None:
    assert (full.name, full.bake_s, full.promote_rest) == ("careful", 600.0, False)
    assert full.offline_exclude_after_s == 7 * 86400


def test_defaults_are_those_of_the_contract() -> None:
    plan = parse_plan("phases: [{weight: 100%, duration: 1m}]", name="p")
    assert plan.name == "p"
    assert plan.pace == Pace(1, 3, OnNoData.HOLD, 120.0, 15.0, 0.9, 10_000, "")
    assert (plan.bake_s, plan.promote_rest, plan.offline_exclude_after_s) == (900, True, 86400)
    assert plan.rollback.enabled
    assert plan.rollback.strategy.max_rollback_depth == 5


def test_a_plan_survives_being_frozen_as_json(full: Plan) -> None:
    assert Plan.from_dict(json.loads(json.dumps(full.to_dict()))) == full


@pytest.mark.parametrize("name", NAMES)
def test_built_in_plans_are_read(name: str) -> None:
    plan = builtin_plan(name)
    assert plan.name == name
    assert plan.phases[-1].weight == 1.0


def test_the_standard_plan_is_that_of_the_contract() -> None:
    plan = builtin_plan("standard")
    assert [(p.name, p.weight, p.duration_s, p.is_manual) for p in plan.phases] == [
        ("canary", 0.1, 900.0, False),
        ("staging", 0.3, 1800.0, False),
        ("production", 1.0, 3600.0, True),
    ]
    metrics = {criterion.metric for criterion in plan.phases[0].success_criteria}
    assert metrics == {"failure_rate", "cpu_increase", "latency_p95", "error_count"}


def test_the_progressive_plan_is_that_of_the_contract() -> None:
    phases = builtin_plan("progressive").phases
    assert [phase.weight for phase in phases] == [0.01, 0.05, 0.1, 0.25, 0.5, 1.0]
    assert [phase.duration_s / 60 for phase in phases] == [5, 10, 15, 20, 30, 60]


def one_phase(extra: str) -> str:
    return f"phases:\n  - weight: 10%\n    duration: 5m\n{extra}"


WRONG = [
    ("phases:\n  - weight: 10\n    duration: 5m", 2, "weight 10 has no unit; write 10%"),
    ('phases:\n  - weight: 10%\n    duration: "15"', 3, 'duration "15" has no unit; write 15m'),
    ("phases:\n  - weight: 10%", 2, "duration is missing"),
    ("phases: []", 1, "write at least one phase"),
    ("name: x", 1, "phases is missing"),
    ("phases: 7", 1, "phases 7 is not a list"),
    ("phases:\n  - 7", 2, "7 is not a mapping"),
    ("- phases", 1, "is not a mapping"),
    (one_phase("    weihgt: 5%"), 4, "weihgt is not a known key; did you mean weight?"),
    (one_phase("    weight: 5%"), 4, 'key "weight" is given twice; it is first on line 2'),
    (one_phase("    selector: env=prod x=y"), 4, "is wrong at character 10: Expected a comma"),
    (one_phase("    selector: {}"), 4, "write all: true for every agent"),
    (one_phase("    auto_advance: yes"), 4, 'auto_advance "yes" is neither true nor false'),
    (one_phase("    min_agents: 0"), 4, "min_agents 0 is out of bounds; write 1 to"),
    (one_phase("    success_criteria:\n      - {metric: failure_rat}"), 5, "did you mean failure_"),
    (one_phase("  - {weight: 5%, duration: 5m}"), 4, "weights add up, write at least 10%"),
    (one_phase("  - {weight: 10%, duration: 5m}"), 4, 'name "10%" is given to two phases'),
    (one_phase("bogus: 1"), 4, "bogus is not a known key"),
    (one_phase("bake: 5"), 4, "bake 5 has no unit; write 5m"),
    (one_phase("on_no_data: ignore"), 4, 'on_no_data "ignore" is not known; write hold, fail or'),
    (one_phase("source: graphite"), 4, "write prometheus, own_metrics or opamp"),
    (one_phase("thresholds:\n  latency_p95: {warning: 50}"), 5, "50 has no unit; write 50ms"),
    (one_phase("thresholds:\n  cpu_increase: {}"), 5, "has no level"),
    (
        one_phase("thresholds:\n  error_count: {warning: 9, critical: 5}"),
        5,
        "warning 9 comes after critical 5",
    ),
    (one_phase("thresholds:\n  mine: {warning: 9}"), 5, "needs its PromQL as query"),
    (
        one_phase("thresholds:\n  error_rate: {critical: 5 errors/min, compare: control}"),
        5,
        'compare "control" cannot be had for this metric; write absolute',
    ),
    (one_phase("rollback:\n  triggers:\n    - {name: a, condition: ''}"), 6, "condition is empty"),
    (
        one_phase("rollback:\n  triggers:\n    - {name: a, condition: 'rate(x[5m) > 1'}"),
        6,
        "condition is wrong at line 1, column 7",
    ),
    (
        one_phase("rollback:\n  triggers:\n    - &t {name: a, condition: x}\n    - *t"),
        7,
        'name "a" is given to two triggers',
    ),
    (one_phase("rollback:\n  strategy: {method: slow}"), 5, "write immediate or gradual"),
    (one_phase("rollback:\n  strategy: {preserve_history: false}"), 5, "history is always kept"),
    ("phases:\n\t- x", 2, "a tab cannot indent"),
]


@pytest.mark.parametrize(("text", "line", "words"), WRONG, ids=[words for _, _, words in WRONG])
def test_a_wrong_plan_names_the_line_and_what_is_right(text: str, line: int, words: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse_plan(text, file="plan.yaml")
    found = {(error.path, words in error.message) for error in caught.value.errors}
    assert (f"plan.yaml:{line}", True) in found


def test_every_mistake_is_named_at_once_in_order() -> None:
    with pytest.raises(Invalid) as caught:
        parse_plan("bake: 5\nphases:\n  - {weight: 10, duration: 5}\nbogus: 1")
    lines = [error.path for error in caught.value.errors]
    assert lines == ["plan.yaml:1", "plan.yaml:3", "plan.yaml:3", "plan.yaml:4"]
    assert caught.value.detail.startswith("plan.yaml:1: bake 5 has no unit")


@pytest.mark.parametrize("text", ["", "a: 1\n---\nb: 1"])
def test_a_plan_file_holds_one_plan(text: str) -> None:
    with pytest.raises(Invalid, match="one plan is expected"):
        parse_plan(text)


def test_data_without_lines_is_pointed_at_by_path() -> None:
    with pytest.raises(Invalid) as caught:
        plan_from_data({"phases": [{"weight": 10, "duration": "5m"}]})
    assert [error.path for error in caught.value.errors] == ["phases[0].weight"]


def test_weights_are_only_compared_on_the_same_selector() -> None:
    plan = parse_plan(
        "phases:\n"
        "  - {name: a, weight: 100%, duration: 1m, selector: env=canary}\n"
        "  - {name: b, weight: 10%, duration: 1m}\n"
    )
    assert [phase.weight for phase in plan.phases] == [1.0, 0.1]


def test_offline_agents_can_be_kept() -> None:
    plan = parse_plan(one_phase("offline: {exclude_after: never}"))
    assert plan.offline_exclude_after_s is None


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                ["weight", "duration", "selector", "name", "success_criteria", "metric"]
            ),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=12,
)
TOP = st.dictionaries(
    st.sampled_from(["phases", "thresholds", "rollback", "offline", "spread", "source", "quorum"]),
    st.one_of(JSON, st.lists(JSON, max_size=3)),
)


@given(st.one_of(JSON, TOP))
def test_any_data_is_read_or_refused(data: object) -> None:
    try:
        result = bool(plan_from_data(data).phases)
    except Invalid as error:
        result = bool(error.errors)
    assert result


def test_how_many_readings_decide_and_what_is_only_tried_out_are_read() -> None:
    plan = plan_from_data(
        {
            "phases": [
                {
                    "weight": "100%",
                    "duration": "1m",
                    "success_criteria": [
                        {
                            "metric": "error_count",
                            "operator": "<",
                            "threshold": 5,
                            "failure_limit": 3,
                            "inconclusive_limit": 0,
                            "consecutive": 2,
                            "dry_run": True,
                        }
                    ],
                }
            ],
            "thresholds": {"error_count": {"critical": "9", "consecutive": 4, "dry_run": True}},
            "rollback": {"triggers": [{"name": "t", "condition": "up", "dry_run": True}]},
        }
    )
    (criterion,) = plan.phases[0].success_criteria
    assert (criterion.failure_limit, criterion.inconclusive_limit) == (3, 0)
    assert (criterion.consecutive, criterion.dry_run) == (2, True)
    (threshold,) = plan.thresholds
    assert (threshold.consecutive, threshold.dry_run) == (4, True)
    assert plan.rollback.triggers[0].dry_run
    assert Plan.from_dict(json.loads(json.dumps(plan.to_dict()))) == plan


def test_a_plan_frozen_before_there_were_dry_runs_is_still_read(full: Plan) -> None:
    frozen = json.loads(json.dumps(full.to_dict()))
    for item in (*frozen["thresholds"], *frozen["rollback"]["triggers"]):
        del item["dry_run"]
    for phase in frozen["phases"]:
        for item in phase["success_criteria"]:
            for key in ("failure_limit", "inconclusive_limit", "consecutive", "dry_run"):
                del item[key]
    assert Plan.from_dict(frozen) == full


def test_thresholds_alone_are_read_for_a_back_test() -> None:
    plan = parse_thresholds("thresholds: {failure_rate: {critical: 5%}}")
    assert (plan.phases, plan.thresholds[0].critical) == ((), 0.05)
