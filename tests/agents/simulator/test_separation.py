from __future__ import annotations

import ast
from pathlib import Path

import pytest

SIMULATOR = Path(__file__).resolve().parents[3] / "agents" / "simulator"
OURS = ("accounts", "agents", "rollouts", "certs", "console")
SHARED = (
    *("agents.simulator", "agents.opamp.opamp_pb2", "agents.opamp.wire", "agents.opamp.bits"),
    "agents.gateway.own_metrics.otlp_pb2",
)


@pytest.mark.parametrize("path", sorted(SIMULATOR.glob("*.py")), ids=lambda path: path.name)
def test_shares_only_the_wire_codec_with_the_server(path: Path) -> None:
    imported: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            imported |= {f"{node.module}.{alias.name}" for alias in node.names}
    ours = {name for name in imported if name.split(".")[0] in OURS}
    assert {name for name in ours if not name.startswith(SHARED)} == set()
