"""Acts of people on certificates, one file each.

Tests: `tests/certs/actions`.
"""
