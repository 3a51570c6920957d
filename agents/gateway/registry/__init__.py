"""Who is connected here, who owns which agent, and what each of them should run.

Tests: `tests/agents/gateway/test_pieces.py`, `tests/agents/gateway/test_loops.py`,
`tests/agents/gateway/test_remote_config.py`, `tests/agents/gateway/registry/test_several.py`.
"""
