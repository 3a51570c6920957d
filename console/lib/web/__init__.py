"""What answers and asks over HTTP: streams, CSV, the safe client for addresses people wrote.

Tests: `tests/console/lib/web`, `tests/console/api/test_streams.py`.
"""
