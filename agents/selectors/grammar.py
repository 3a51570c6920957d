"""Selectors in both forms (spec section 3): one tree, read and written as text or as YAML. Pure."""

from __future__ import annotations

from agents.selectors.errors import SelectorError
from agents.selectors.text import parse_text, to_text
from agents.selectors.tree import EVERYTHING, Match, Selector
from agents.selectors.yaml_form import parse_yaml, to_yaml

__all__ = [
    "EVERYTHING",
    "Match",
    "Selector",
    "SelectorError",
    "from_yaml",
    "parse",
    "parse_any",
    "to_text",
    "to_yaml",
]

parse = parse_text
from_yaml = parse_yaml


def parse_any(data: object) -> Selector:
    """Read whichever form was given: text (API, CLI, plan files) or a mapping. SelectorError."""
    return parse_text(data) if isinstance(data, str) else parse_yaml(data)
