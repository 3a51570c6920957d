"""The OpAMP protocol without sockets: framing, messages, session logic. Pure.

Tests: `tests/agents/opamp`, `tests/agents/gateway/test_sequence.py`,
`tests/agents/gateway/test_reference_server.py`.
"""
