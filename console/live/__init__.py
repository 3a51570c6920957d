"""The live feed: what changed is drawn once and sent to whoever follows it.

Tests: `tests/console/live`, `tests/console/test_any_request.py` (which handshakes are let in),
`tests/browser/test_live.py`.
"""
