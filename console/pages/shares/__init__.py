"""Links to how a rollout went: the page that people without an account read, and the page of its links.

Tests: `tests/console/pages/shares`.
"""
