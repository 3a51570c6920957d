"""Keeping what people write: versions of configs, plans, named selectors, and a file of several.

Tests: `tests/rollouts/actions/files`.
"""
