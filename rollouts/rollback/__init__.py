"""The way back: who goes where, in which waves, and who did not return.

Tests: `tests/rollouts/rollback`, `tests/rollouts/test_races.py`.
"""
