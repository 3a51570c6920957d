"""Requests for certificates: reading a CSR, and what of it a session takes down. Pure.

Tests: `tests/agents/opamp/requests`, `tests/agents/gateway/registry`.
"""
