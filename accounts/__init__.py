"""Who acts, what they may do, and the record of it.

Tests: `tests/accounts`, `tests/console/management/test_access.py`.
"""
