"""Agents over REST: read, act, quarantine.

Tests: `tests/console/api/agents`.
"""
