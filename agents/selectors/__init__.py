"""Selectors: which agents. `grammar` reads and writes them, `compile` makes SQL of them.

Tests: `tests/agents/selectors`.
"""

from __future__ import annotations

from agents.selectors.matching import AgentLook, matches

__all__ = ["AgentLook", "matches"]
