"""What agents said of a version they could not run: texts in groups, the lines they name, and what sets
the agents that failed apart.

`wording`, `mentions`, `places`, `groups` and `apart` are pure; `said` reads the texts, `causes` the agents.

Tests: `tests/rollouts/errors`.
"""
