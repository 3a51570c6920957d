"""What gates were judged on: the readings of a rollout as charts, as a list, as a file.

Tests: `tests/console/pages/rollouts/evidence`.
"""
