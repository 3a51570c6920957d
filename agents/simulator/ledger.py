"""What every simulated agent runs now, in a file: the fleet's memory, and the tests' witness.

JSON: {"bodies": {hash: {file name: text}}, "agents": {uid hex: {"uid", "running", "last_hash",
"last_status", "last_error", "metrics_url", "metrics_authorization", "history", "spoiled", "wedged",
"generation", "connected", "dead", "gone"}}}; hashes are lower-case hex. The key is the uid that the
agent began with, `uid` the one that it has now.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from agents.simulator.agent import Memory, SimulatedAgent


def load(path: Path) -> dict[bytes, Memory]:
    """Return what each agent remembered, by uid; nothing when there is no readable file."""
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    bodies = {
        bytes.fromhex(config_hash): {name: text.encode("latin-1") for name, text in files.items()}
        for config_hash, files in content["bodies"].items()
    }
    return {
        bytes.fromhex(uid): Memory(
            running=bytes.fromhex(entry["running"]),
            files=bodies.get(bytes.fromhex(entry["running"]), {}),
            last_hash=bytes.fromhex(entry["last_hash"]),
            last_status=entry["last_status"],
            last_error=entry["last_error"],
            metrics_url=entry.get("metrics_url", ""),
            metrics_authorization=entry.get("metrics_authorization", ""),
            history=[bytes.fromhex(config_hash) for config_hash in entry["history"]],
            spoiled=[bytes.fromhex(config_hash) for config_hash in entry.get("spoiled", ())],
            wedged=entry.get("wedged", False),
            generation=entry.get("generation", 0),
        )
        for uid, entry in content["agents"].items()
    }


def save(path: Path, agents: Iterable[SimulatedAgent], connected: set[bytes]) -> None:
    """Write the file; a reader finds the old one or the new one, never a half."""
    bodies: dict[str, dict[str, str]] = {}
    entries: dict[str, dict[str, object]] = {}
    for agent in agents:
        memory = agent.memory
        running = memory.running.hex()
        if running not in bodies:
            # Latin-1 keeps any bytes as they are.
            bodies[running] = {n: body.decode("latin-1") for n, body in memory.files.items()}
        entries[agent.first_uid.hex()] = {
            "uid": agent.uid.hex(),
            "running": running,
            "last_hash": memory.last_hash.hex(),
            "last_status": memory.last_status,
            "last_error": memory.last_error,
            "metrics_url": memory.metrics_url,
            "metrics_authorization": memory.metrics_authorization,
            "history": [config_hash.hex() for config_hash in memory.history],
            "spoiled": [config_hash.hex() for config_hash in memory.spoiled],
            "wedged": memory.wedged,
            "generation": memory.generation,
            "connected": agent.first_uid in connected,
            "dead": agent.dead,
            "gone": agent.gone,
        }
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps({"bodies": bodies, "agents": entries}))
    draft.replace(path)
