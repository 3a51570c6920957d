"""All SQL of `rollouts`, one subject a file: what the ORM cannot say, or not so that PostgreSQL is quick.

Each statement is run by one function beside it, which names its parameters and hands out plain values. Nothing
is decided here. Values are parameters, states and other words of ours as well, by their enums; only what
differs between two kinds of rows is put into a text. `tests/test_sql_names.py` compares tables,
columns and words with the models, `tests/rollouts/test_old_statistics.py` watches the plans.

Tests: `tests/rollouts`, `tests/test_sql_names.py`, `tests/rollouts/test_old_statistics.py`.
"""
