"""Search: agents, configs, rollouts, what can be done to them, and every page by its name.

Tests: `tests/console/pages/test_search.py`.
"""
