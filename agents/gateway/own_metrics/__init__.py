"""The door for what collectors measure of themselves (OTLP over HTTP).

Tests: `tests/agents/gateway/own_metrics/test_receiver.py`, `tests/real/test_own_metrics.py`.
"""
