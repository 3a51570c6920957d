"""Commands of manage.py.

Tests: `tests/console/management`.
"""
