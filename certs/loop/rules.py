"""The rules of rotation as the settings give them."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings

from certs.rotation.facts import RotationRules
from certs.rotation.schedule import check_rules


def rules() -> RotationRules:
    """Return the rules. Raises BadRules for settings that contradict each other."""
    found = RotationRules(
        lifetime=timedelta(hours=settings.CERTIFICATES_LIFETIME_H),
        renewal_threshold=timedelta(hours=settings.CERTIFICATES_RENEW_BEFORE_H),
        offer_timeout=timedelta(seconds=settings.CERTIFICATES_OFFER_TIMEOUT_S),
        issuances_per_s=settings.CERTIFICATES_PER_S,
        offers_in_flight=settings.CERTIFICATES_IN_FLIGHT,
    )
    check_rules(found)
    return found
