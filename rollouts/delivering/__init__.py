"""The agents of a rollout: who is offered the version, who came late, how many are where.

Tests: `tests/rollouts/delivering`, `tests/rollouts/test_rollout.py`.
"""
