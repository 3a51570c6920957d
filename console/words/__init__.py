"""Sentences, numbers and marks for people, made from codes and facts; for pages, API and commands.

Tests: `tests/console/words`, `tests/console/pages/rollouts/test_timeline.py`,
`tests/console/pages/rollouts/test_gates.py`.
"""
