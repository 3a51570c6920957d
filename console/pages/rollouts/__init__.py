"""Rollouts: the list, one with its live parts, its timeline, its acts, and the wizard.

Tests: `tests/console/pages/rollouts`, `tests/console/pages/test_query_counts.py`,
`tests/browser/test_main_job.py`.
"""
