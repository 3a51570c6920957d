"""What administrators set for all rollouts: freeze windows, budgets, guards of environments.

Tests: `tests/rollouts/limits`.
"""
