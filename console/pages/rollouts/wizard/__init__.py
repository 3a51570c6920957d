"""The wizard: what a person asks for, what it would mean, and the start.

Tests: `tests/console/pages/rollouts/test_wizard.py`, `tests/browser/test_main_job.py`.
"""
