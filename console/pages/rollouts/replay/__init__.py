"""A rollout shown as it was, step by step.

Tests: `tests/console/pages/rollouts/replay`, `tests/rollouts/test_as_of.py`.
"""
