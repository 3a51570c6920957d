"""Shapes for SVG: bars, rings, lines. Nothing here knows a rollout."""
