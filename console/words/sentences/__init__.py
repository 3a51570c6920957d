"""Tables of sentences: what each code of the domain is said with, by subject.

Tests: `tests/console/words/test_tables.py`.
"""
