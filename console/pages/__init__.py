"""Pages, one room per subject. `frame` is what all of them share.

Tests: `tests/console/pages`, `tests/browser`.
"""
