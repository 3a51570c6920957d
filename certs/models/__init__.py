"""Authorities that certificates are issued from, and the life of each certificate.

Tests: `tests/certs/test_lifecycle.py`.
"""

from __future__ import annotations

from certs.models.authority import Authority
from certs.models.certificate import Certificate
from certs.models.pause import RotationPause

__all__ = ["Authority", "Certificate", "RotationPause"]
