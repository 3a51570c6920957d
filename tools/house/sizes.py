"""How long: folders, files, functions, lines of templates."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from tools.house.sources import Source


def fullest_folder(paths: Iterable[Path]) -> tuple[int, str]:
    """Return the number of files of the folder that holds the most, and which it is."""
    found = Counter(path.parent for path in paths).most_common(1)
    return (found[0][1], str(found[0][0])) if found else (0, "")


def longest_file(sources: Sequence[Source]) -> tuple[int, str]:
    """Return the lines of the longest file, and which it is."""
    return max(((len(s.text.splitlines()), str(s.path)) for s in sources), default=(0, ""))


def longest_function(sources: Sequence[Source]) -> tuple[int, str]:
    """Return the lines of the longest function, its decorators left out, and where it is."""
    return max(
        (
            ((node.end_lineno or 0) - node.lineno + 1, f"{source.path}:{node.lineno} {node.name}")
            for source in sources
            for node in ast.walk(source.tree)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        ),
        default=(0, ""),
    )


def longest_line(root: Path, paths: Iterable[Path]) -> tuple[int, str]:
    """Return the characters of the longest line, and where it is."""
    return max(
        (
            (len(line), f"{path}:{number}")
            for path in paths
            for number, line in enumerate((root / path).read_text().splitlines(), 1)
        ),
        default=(0, ""),
    )
