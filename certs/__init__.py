"""Certificates and signatures: what the issuer worker does, the only one with private keys.

Tests: `tests/certs`.
"""
