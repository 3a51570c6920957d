"""Shapes for SVG: bars, rings, lines. Nothing here knows a rollout.

Tests: `tests/console/pages/drawing`.
"""
