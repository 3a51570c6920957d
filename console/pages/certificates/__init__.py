"""Certificates of agents: which are in use, which are on their way, when they end, and acts on one.

Tests: `tests/console/pages/certificates`.
"""
