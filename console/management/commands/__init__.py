"""One file per command of manage.py.

Tests: `tests/console/management`, `tests/console/test_up.py`, `tests/test_docs_metrics.py`.
"""
