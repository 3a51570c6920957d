"""The audit log: who did what, in groups of one act, and what it is narrowed to.

Tests: `tests/console/pages/audit`.
"""
