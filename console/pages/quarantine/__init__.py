"""Quarantine: versions that are not offered again, to agents or to nobody, until a person lifts that.

Tests: `tests/console/pages/test_quarantine.py`.
"""
