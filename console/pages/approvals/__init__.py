"""Approvals: what waits for whom, and what was decided.

Tests: `tests/console/pages/rollouts/test_acts.py`, `tests/console/pages/test_query_counts.py`.
"""
