"""The OpAMP gateway process: sockets, timers, batched writes. Decisions are in `agents.opamp`.

Tests: `tests/agents/gateway`.
"""
