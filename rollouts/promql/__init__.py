"""PromQL as text and as a tree: reading it with its mistakes, its names, and writing it again. Pure.

Tests: `tests/rollouts/promql`.
"""
