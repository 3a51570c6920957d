"""Environment variables that no page explains."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable

from tools.house.sources import Source


def variables(settings: Source) -> list[str]:
    """Return the variables that `env.<type>("NAME", ...)` reads, in their order."""
    return [
        node.args[0].value
        for node in ast.walk(settings.tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "env"
        and node.args
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
    ]


def unexplained(settings: Source, pages: Iterable[str]) -> list[str]:
    """Return the variables that stand in no line of the pages."""
    words = {word for page in pages for word in re.findall(r"[A-Z][A-Z0-9_]+", page)}
    return [name for name in variables(settings) if name not in words]
