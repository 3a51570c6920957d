"""The overview.

Tests: `tests/console/pages/test_first_use.py`, `tests/console/pages/test_query_counts.py`.
"""
