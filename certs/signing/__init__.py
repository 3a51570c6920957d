"""Signing configs: the signer's key, and the loop that signs what waits (security.md section 5)."""
