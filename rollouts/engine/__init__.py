"""Decisions about a rollout: pure functions of frozen facts and `now`. `loop` feeds them.

Tests: `tests/rollouts/engine`, `tests/rollouts/test_rollout.py`.
"""
