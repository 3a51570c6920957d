"""Acts on agents, one file each; `set_desired` is the only way to push.

Tests: `tests/agents/gateway/test_commands.py`, `tests/agents/gateway/test_settings.py`,
`tests/console/api/agents/test_acts.py`, `tests/agents/test_succession.py`,
`tests/agents/test_retiring.py`.
"""
