"""Tags and filters of our templates.

Tests: `tests/console/pages/test_routes.py`, `tests/console/words`.
"""
