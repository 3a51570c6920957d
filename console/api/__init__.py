"""The REST API: plumbing here, agents and rollouts in rooms of their own.

Tests: `tests/console/api`.
"""
