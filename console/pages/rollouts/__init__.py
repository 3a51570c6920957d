"""Rollouts from the wizard to the timeline, approvals and rollbacks.

Tests: `tests/console/pages/rollouts`, `tests/console/pages/test_query_counts.py`,
`tests/browser/test_main_job.py`.
"""
