"""Pages of docs/ that are made from what the code knows, in English.

Tests: `tests/test_docs_metrics.py`, `tests/test_docs_settings.py`.
"""
