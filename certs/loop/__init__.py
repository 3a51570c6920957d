"""A turn of the issuer's worker: take requests, make renewals due, look at what is due, issue and
offer as far as the pace has room.

Tests: `tests/certs/test_lifecycle.py`, `tests/certs/loop`.
"""
