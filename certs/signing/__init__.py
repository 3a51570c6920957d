"""Signing configs: the signer's key, and the loop that signs what waits (security.md section 5).

Tests: `tests/certs/signing/test_sign.py`, `tests/console/test_up.py` (the key of `up`).
"""
