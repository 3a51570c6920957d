"""What people and scripts see: pages, REST API, live feed, commands, and the processes of `up`.

Tests: `tests/console`, `tests/browser`.
"""
