"""Where SQL is: which files run statements, and which spell them out.

One room an app keeps what the ORM cannot say (`rollouts/sql`); each file more is a file in which a
renamed column is found at run time only.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from tools.house.sources import Source

_RUNS = re.compile(
    r"\bconnections?\b.*\.cursor$|\bcursor\.execute(?:many)?$|\.objects\.raw$|\bRawSQL$"
)
_TABLE = re.compile(
    r"\b(?:FROM|JOIN|UPDATE|INTO)\s+(?:ONLY\s+)?(?:accounts|agents|certs|console|rollouts)_\w+"
)


def running(sources: Sequence[Source], app: str) -> list[str]:
    """Return the files of an app that open a cursor or run a statement."""
    return [str(s.path) for s in sources if s.app == app and runs_sql(s.tree)]


def runs_sql(tree: ast.AST) -> bool:
    """Whether a cursor is opened or a statement run here."""
    return any(
        isinstance(node, ast.Call) and _RUNS.search(ast.unparse(node.func))
        for node in ast.walk(tree)
    )


def spelled(tree: ast.AST) -> list[int]:
    """Return the lines of texts that name one of our tables as SQL does."""
    return sorted(
        {
            node.lineno
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and _TABLE.search(node.value)
        }
    )
