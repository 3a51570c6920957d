"""What a look at one certificate knows. Frozen; times are aware datetimes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from certs.rotation.states import CertificateState
from console.lib.texts import Text


class SettingsWord(StrEnum):
    """The agent's own word for the settings that it was sent last."""

    APPLIED = "applied"
    APPLYING = "applying"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Speaker:
    """The agent as gateways last wrote it.

    `keeps_offers`: a certificate that it was offered outlives its process. `sent_at` is when the
    offer of this certificate was sent, None when not yet. `proven_at` is when it first connected
    with this certificate. `came_back_at` is when it connected with something else after it was
    sent this one; `gone_at` since when it is not connected. `uses_this`: its newest connection is
    by this certificate; `uses_older`: by one that this one replaced. `is_known`: who its newest
    connection speaks for has been written already.
    """

    is_connected: bool = False
    is_known: bool = True
    connected_at: datetime | None = None
    gone_at: datetime | None = None
    accepts_settings: bool = True
    keeps_offers: bool = True
    word: SettingsWord | None = None
    says: str = ""
    sent_at: datetime | None = None
    proven_at: datetime | None = None
    came_back_at: datetime | None = None
    uses_this: bool = False
    uses_older: bool = False


@dataclass(frozen=True, slots=True)
class RotationFacts:
    """One certificate: `since` is when its state began, `offered_at` when it was last offered.

    `has_request`: there is a request with its key; without one the gateway is asked to make a key.
    `is_next`: nothing newer is on its way to the agent. `blocked` is what stands in the way of any
    offer to it, "" for nothing.
    """

    state: CertificateState
    since: datetime
    is_approved: bool = True
    has_request: bool = True
    is_next: bool = True
    blocked: Text | str = ""
    not_after: datetime | None = None
    offered_at: datetime | None = None
    agent: Speaker = Speaker()


@dataclass(frozen=True, slots=True)
class RotationRules:
    """How certificates live. `lifetime` is what issuers are asked for."""

    lifetime: timedelta = timedelta(hours=720)
    renewal_threshold: timedelta = timedelta(hours=168)
    offer_timeout: timedelta = timedelta(minutes=10)
    superseded_for: timedelta = timedelta(hours=24)
    reverted_every: timedelta = timedelta(hours=24)
    issuances_per_s: float = 5.0
    offers_in_flight: int = 50
    first_wave: float = 0.01
    most_failures: float = 0.05
    urgent_before: timedelta = timedelta(hours=24)
