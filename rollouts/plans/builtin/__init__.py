"""The plans Tidegate brings along, as the same files a person would write."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from rollouts.plans.parse import parse_plan
from rollouts.plans.plan import Plan

NAMES = ("standard", "progressive", "quick")


def builtin_text(name: str) -> str:
    """Return the file of a built-in plan. Raises KeyError for any other name."""
    if name not in NAMES:
        raise KeyError(name)
    return (Path(__file__).parent / f"{name}.yaml").read_text(encoding="utf-8")


@cache
def builtin_plan(name: str) -> Plan:
    """Return a built-in plan. Raises KeyError for any other name."""
    return parse_plan(builtin_text(name), name=name, file=f"{name}.yaml")
