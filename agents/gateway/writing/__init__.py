"""What agents said, collected and written in batches.

Tests: `tests/agents/gateway/test_reports.py`, `tests/agents/gateway/test_survival.py`.
"""
