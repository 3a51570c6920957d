"""What all pages share: permission, navigation, paging, the envelope of live fragments.

Tests: `tests/console/pages/frame`, `tests/console/pages/test_routes.py`,
`tests/console/pages/test_query_counts.py`.
"""
