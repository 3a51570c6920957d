"""What a session of the database is told beside queries: its limits, one moment for all it reads, locks.

Tests: `tests/console/lib/database`, `tests/rollouts/analysis/test_measure.py`, `tests/browser`.
"""
