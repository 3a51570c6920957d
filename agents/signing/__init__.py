"""Signatures of configs: what is signed, how it is checked, the manifest against replay. Pure."""
