"""One file per act of a person, called alike by page, API and command.

Tests: `tests/rollouts/actions`, `tests/rollouts/test_any_history.py`,
`tests/rollouts/test_races.py`, `tests/rollouts/limits`.
"""
