"""Leaves that any app may use. Nothing here imports anything of ours but its neighbours.

Tests: `tests/console/lib`, `tests/console/test_logs.py`,
`tests/console/embedded/test_servers.py`, `tests/rollouts/plans`.
"""
