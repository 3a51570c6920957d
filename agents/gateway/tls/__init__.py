"""TLS of the gateway: its own certificate, whom it trusts, and who shows what (security.md section 2).

`verify` is the one function that says whether a certificate is good; `files` and `context` make what a
connection starts with, `current` swaps it; `bundle`, `registry` and `identity` say whose it is.

Tests: `tests/agents/gateway/tls`.
"""
