"""Acts on a rollout: their table, the bar, the dialogs with their forms, and who does them.

Tests: `tests/console/pages/rollouts/test_acts.py`.
"""
