"""The loop of rollouts: claim what is due, load facts, decide, carry out, say why. Reads and writes.

Tests: `tests/rollouts/loop`, `tests/rollouts/test_rollout.py`,
`tests/rollouts/test_any_history.py`, `tests/rollouts/actions/test_start.py`.
"""
