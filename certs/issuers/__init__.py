"""Who signs: one protocol (`base`), a module for each kind of issuer, loaded by the registry.

Tests: `tests/certs/issuers/test_builtin.py`.
"""
