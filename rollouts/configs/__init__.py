"""Collector configs as texts: parts, checks, differences. Pure.

Tests: `tests/rollouts/configs`.
"""
