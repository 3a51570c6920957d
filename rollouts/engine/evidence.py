"""What an approver is shown, frozen, and when it no longer stands (spec section 11). Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from console.lib.texts import from_json, to_json
from rollouts.engine.facts import GateFacts, GateKind, Level, Verdict


def shown(gate: GateFacts) -> dict[str, Any]:
    """Return one gate's reading as plain JSON: inputs of an event, evidence of an approval."""
    return {
        "gate": gate.gate,
        "kind": str(gate.kind),
        "metric": gate.metric,
        "title": to_json(gate.title),
        "unit": gate.unit,
        "operator": gate.operator,
        "value": gate.value,
        "limit": gate.limit,
        "warning_limit": gate.warning_limit,
        "verdict": str(gate.verdict),
        "level": str(gate.level),
        "readings": gate.readings,
        "agents": gate.agents,
        "samples": gate.samples,
        "source": gate.source,
        "at": _iso(gate.at),
        "since": _iso(gate.pending_since),
        "no_data_since": _iso(gate.no_data_since),
        "waived_by": gate.waived_by,
        "sentence": to_json(gate.sentence),
    }


def from_shown(kept: Mapping[str, Any]) -> GateFacts:
    """Return a gate as `shown` kept it: what decided a rollback is shown as it was then."""
    return GateFacts(
        gate=kept["gate"],
        kind=GateKind(kept["kind"]),
        metric=kept["metric"],
        title=from_json(kept["title"]),
        verdict=Verdict(kept["verdict"]),
        unit=kept["unit"],
        operator=kept["operator"],
        limit=kept["limit"],
        value=kept["value"],
        level=Level(kept["level"]),
        readings=kept["readings"],
        agents=kept["agents"],
        samples=kept["samples"],
        source=kept["source"],
        at=datetime.fromisoformat(kept["at"]) if kept["at"] else None,
        waived_by=kept["waived_by"],
        sentence=from_json(kept["sentence"]),
    )


def standing(gates: Sequence[GateFacts]) -> dict[str, bool]:
    """Return which gates pass. Values move all the time; when this changes, so has the answer that
    a person was shown, and the approval lapses."""
    return {gate.gate: gate.passes for gate in gates}


def evidence(
    gates: Sequence[GateFacts], counts: Mapping[str, Mapping[str, int]], now: datetime
) -> dict[str, Any]:
    """Return what is frozen with the question: readings, counts per phase, when."""
    return {
        "at": now.isoformat(),
        "gates": [shown(gate) for gate in gates],
        "counts": {name: dict(values) for name, values in counts.items()},
        "standing": standing(gates),
    }


def digest(config_hash: str, plan: Mapping[str, Any], seen: Mapping[str, Any]) -> str:
    """Return the SHA-256 that binds an approval to config, plan and evidence."""
    text = json.dumps([config_hash, plan, seen], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at is not None else None
