"""Rollouts over REST: create, read, act, wait; approvals and rollbacks.

Tests: `tests/console/api/rollouts`.
"""
