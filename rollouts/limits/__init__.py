"""What holds every rollout: freeze windows and budgets.

Tests: `tests/rollouts/limits`.
"""
