"""Rollbacks: the list, one by selector, the form that begins one, and how each went.

Tests: `tests/console/pages/rollbacks`, `tests/console/pages/test_query_counts.py`,
`tests/browser/test_main_job.py`.
"""
