"""What needs a person: everything that waits for one, or that nobody has acknowledged.

`sources` says what there is (three short texts each, for counting), `find` adds what people read of it,
`watch` notices changes. Acknowledging is an act of `rollouts.actions`.

Tests: `tests/rollouts/attention`, `tests/rollouts/actions/test_acknowledge.py`.
"""
