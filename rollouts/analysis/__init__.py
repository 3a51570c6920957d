"""Evidence: readings of gates and what they prove. See docs/architecture.md.

Tests: `tests/rollouts/analysis`, `tests/evidence`.
"""
