"""WebSocket without sockets (RFC 6455): the head of an upgrade, bytes to frames, frames to bytes. Pure.

Tests: `tests/agents/opamp/websocket`, `tests/agents/opamp/test_wire_properties.py`,
`tests/agents/gateway/test_pieces.py`.
"""
