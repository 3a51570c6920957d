"""Rollouts of configs to agents, on evidence, and their way back.

Tests: `tests/rollouts`.
"""
