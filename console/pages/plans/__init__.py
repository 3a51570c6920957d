"""Plans, and a plan tried on a rollout of the past.

Tests: `tests/console/pages/plans`, `tests/console/pages/test_query_counts.py`.
"""
