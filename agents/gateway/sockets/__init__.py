"""Bytes in and out: listening, TLS, WebSocket and HTTP framing, who may come in.

Tests: `tests/agents/gateway/sockets`, `tests/agents/gateway/test_gates.py`,
`tests/agents/gateway/test_reference_server.py`.
"""
