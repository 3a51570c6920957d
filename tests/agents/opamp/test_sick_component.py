from __future__ import annotations

import pytest
from hypothesis import given

from agents.opamp import opamp_pb2 as pb
from agents.opamp.trees import sick_component
from tests.agents.opamp.messages import healths

OK, SICK = (True, "", ""), (False, "", "")


def tree(healthy: bool, status: str = "", error: str = "", **below: object) -> pb.ComponentHealth:
    health = pb.ComponentHealth(healthy=healthy, status=status, last_error=error)
    for name, child in below.items():
        assert isinstance(child, pb.ComponentHealth)
        health.component_health_map[name].CopyFrom(child)
    return health


def named(health: pb.ComponentHealth, **names: str) -> pb.ComponentHealth:
    """Give components the names that real ones have, with signs that no keyword can have."""
    found = pb.ComponentHealth(
        healthy=health.healthy, status=health.status, last_error=health.last_error
    )
    for name, child in health.component_health_map.items():
        found.component_health_map[names.get(name, name)].CopyFrom(named(child, **names))
    return found


NAMES = {"pipeline": "pipeline:traces", "otlp": "exporter:otlp/eu", "batch": "processor:batch"}


@pytest.mark.parametrize(
    ("health", "says"),
    [
        (tree(True), ""),
        (tree(False, error="dead"), ""),
        (tree(True, pipeline=tree(True, otlp=tree(True))), ""),
        (
            tree(True, pipeline=tree(True, otlp=tree(False, error="connection refused"))),
            "exporter otlp/eu: connection refused",
        ),
        (
            tree(True, pipeline=tree(False, otlp=tree(False, "StatusRecoverableError"))),
            "exporter otlp/eu: StatusRecoverableError",
        ),
        (
            tree(True, pipeline=tree(False, error="stuck", otlp=tree(True))),
            "pipeline traces: stuck",
        ),
        (tree(True, otlp=tree(False, "StatusStarting")), ""),
        (tree(True, otlp=tree(False)), "exporter otlp/eu: unhealthy"),
        (
            tree(True, batch=tree(False, error="b"), otlp=tree(False, error="a")),
            "exporter otlp/eu: a",
        ),
    ],
)
def test_the_innermost_component_that_is_not_well_is_named(
    health: pb.ComponentHealth, says: str
) -> None:
    assert sick_component(named(health, **NAMES)) == says


def test_what_an_agent_says_is_cut_and_cleaned() -> None:
    says = sick_component(named(tree(True, otlp=tree(False, error="\x00" + "x" * 9_000)), **NAMES))
    assert "\x00" not in says
    assert len(says) < 1_000


@given(healths())
def test_any_tree_has_an_answer(health: pb.ComponentHealth) -> None:
    sick_component(health)
