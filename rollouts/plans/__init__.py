"""Plans as people write them, read with file and line. Pure.

Tests: `tests/rollouts/plans`.
"""
