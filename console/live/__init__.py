"""The live feed: what changed is drawn once and sent to whoever follows it.

Tests: `tests/console/live`, `tests/browser/test_live.py`.
"""
