"""A database backend for commands that need none.

Tests: `tests/console/test_up.py`.
"""
