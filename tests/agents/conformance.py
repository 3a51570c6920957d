"""Write docs/conformance.md from the tests: `python -m tests.agents.conformance`.

A row names the tests whose names carry its id, so the table cannot claim what nothing checks.
"""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

from tests.agents.obligations import LIMITED, OBLIGATIONS

ROOT = Path(__file__).resolve().parents[2]
TARGET = ROOT / "docs" / "conformance.md"
_ID = re.compile(r"^test_(op|go)_(\d\d)_")
_BOTH = {"agent", "transport"}
HEAD = """# OpAMP conformance

Written by `python -m tests.agents.conformance` from the tests that carry an obligation's id in
their name; a test keeps this page up to date. OP-xx are a server's obligations under the OpAMP
specification, GO-xx the cases of opamp-go's own server tests. "both" means WebSocket and plain
HTTP. Real collectors, supervisors and opamp-go clients are driven by `tests/clients`.

{kept} of {total} are built as asked, {limited} are limited as said.

| id | level | obligation | status | transports | tests |
|---|---|---|---|---|---|
"""


def found_tests() -> dict[str, list[tuple[str, bool]]]:
    """Return (test, whether it runs over both transports) by id, in the order of the files."""
    found: dict[str, list[tuple[str, bool]]] = {}
    for path in sorted((ROOT / "tests" / "agents").rglob("test_*.py")):
        for node in ast.parse(path.read_text()).body:
            match = _ID.match(getattr(node, "name", ""))
            if not isinstance(node, ast.FunctionDef) or match is None:
                continue
            both = bool({arg.arg for arg in node.args.args} & _BOTH)
            key = f"{match[1].upper()}-{match[2]}"
            found.setdefault(key, []).append((f"{path.stem}::{node.name}", both))
    return found


def render() -> str:
    """Return the page."""
    tests = found_tests()
    rows = []
    for key, (level, text) in OBLIGATIONS.items():
        mine = tests.get(key, [])
        status = LIMITED.get(key, "kept" if mine else "not tested")
        transports = "both" if any(both for _, both in mine) else "one"
        names = "<br>".join(f"`{name}`" for name, _ in mine)
        rows.append(f"| {key} | {level} | {text} | {status} | {transports} | {names} |")
    kept = sum(1 for key in OBLIGATIONS if key in tests and key not in LIMITED)
    head = HEAD.format(kept=kept, total=len(OBLIGATIONS), limited=len(LIMITED))
    return head + "\n".join(rows) + "\n"


if __name__ == "__main__":
    TARGET.write_text(render())
    sys.stdout.write(f"Wrote {TARGET}\n")
