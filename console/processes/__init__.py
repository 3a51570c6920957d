"""What `manage.py up` starts, in which order, and how all of it ends.

Tests: `tests/console/processes`, `tests/console/test_up.py`.
"""
