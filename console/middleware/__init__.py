"""Middleware of the console, one subject a file; `console.settings.MIDDLEWARE` has their order.

Tests: `tests/console/middleware`, `tests/console/test_static_files.py`.
"""
