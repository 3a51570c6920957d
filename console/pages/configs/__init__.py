"""Configs, their versions and differences.

Tests: `tests/console/pages/configs`, `tests/console/pages/test_query_counts.py`.
"""
