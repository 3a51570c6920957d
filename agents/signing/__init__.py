"""Signatures of configs: what is signed, how it is checked, the manifest against replay. Pure.

Tests: `tests/agents/signing`, `tests/agents/gateway/test_signatures.py`, `tests/certs/signing`.
"""
