"""Agents: what they are, what they say, what they should run. Knows nothing of rollouts.

Tests: `tests/agents`.
"""
