"""Bytes in and out: listening, TLS, WebSocket and HTTP framing, who may come in."""
