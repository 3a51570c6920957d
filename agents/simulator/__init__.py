"""A fleet of collectors that behave, or misbehave, as real ones do.

Tests: `tests/agents/simulator`.
"""
