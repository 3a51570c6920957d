"""Processes: which one a pid is, how a child is tied to its parent, how one is told to stop.

Tests: `tests/console/lib/processes`, `tests/console/embedded/test_servers.py`.
"""
