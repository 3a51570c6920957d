"""Which certificates the loop looks at, and which pages show."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Self

from django.db import connection, models
from django.db.models import F

from certs.rotation.states import FLYING_STATES, MISSED_STATES, OPEN_STATES, CertificateState
from console.lib.problems import Missing

if TYPE_CHECKING:
    from certs.models import Certificate

_S = CertificateState
WAITING = (_S.PENDING, _S.ISSUED)

# What of an agent's row a look depends on, as one text.
SEEN = """concat_ws(':', s.session_id, s.connected, s.settings_offered_hash, s.settings_hash,
                    s.settings_status)"""
# Back on a certificate that was replaced: told once a day.
_REVERTED = """
    UPDATE certs_certificate c SET next_look_at = %(now)s
    FROM certs_certificate o
    JOIN agents_agentstatus s ON s.agent_id = o.agent_id AND s.connected
    JOIN agents_session n ON n.id = s.session_id
    WHERE o.state = 'superseded' AND n.principal = 'certificate:' || left(o.fingerprint, 32)
      AND c.agent_id = o.agent_id AND c.state = 'installed'
      AND (c.reverted_at IS NULL OR c.reverted_at < %(since)s)
"""
_WAKE = f"""
    UPDATE certs_certificate c SET next_look_at = %(now)s
    FROM agents_agentstatus s
    WHERE s.agent_id = c.agent_id AND c.state = ANY(%(states)s) AND c.not_after > %(now)s
      AND (c.next_look_at IS NULL OR c.next_look_at > %(now)s)
      AND c.seen <> {SEEN}
"""  # noqa: S608  constant text


class CertificateQuerySet(models.QuerySet["Certificate"]):
    def lock(self, certificate_id: int) -> Certificate:
        """Return one certificate, locked, with its agent. Raises Missing."""
        found = (
            self.select_for_update(of=("self",), no_key=True)
            .select_related("agent", "request")
            .filter(pk=certificate_id)
            .first()
        )
        if found is None:
            raise Missing("cert.missing")
        return found

    def open(self) -> Self:
        """Those on their way to an agent."""
        return self.filter(state__in=sorted(OPEN_STATES))

    def due(self, now: datetime) -> Self:
        """Those that somebody has to look at and that need no room for it."""
        return self.filter(next_look_at__lte=now).exclude(state__in=WAITING)

    def waiting_for_room(self, now: datetime) -> Self:
        """Those that could be issued or offered now: approved, their time has come, and their agent is
        there. Who has nothing comes first, then who loses it soonest."""
        return self.filter(
            next_look_at__lte=now,
            state__in=WAITING,
            is_approved=True,
            agent__status__connected=True,
            agent__retired_at=None,
        ).order_by(F("needed_by").asc(nulls_first=True), "next_look_at", "pk")

    def in_flight(self) -> Self:
        """Those offered to agents that are connected."""
        return self.filter(state__in=sorted(FLYING_STATES), agent__status__connected=True)

    def due_for_renewal(self, now: datetime) -> Self:
        """Those in use that should have a successor, of agents that have none on its way."""
        coming = self.model._default_manager.filter(
            agent=models.OuterRef("agent"), state__in=sorted(OPEN_STATES)
        )
        return self.filter(
            ~models.Exists(coming), renew_at__lte=now, state=_S.INSTALLED, agent__retired_at=None
        ).order_by("not_after", "pk")

    def for_list(self) -> Self:
        return self.select_related("agent", "authority__trusted")


def wake(now: datetime) -> int:
    """Have certificates looked at whose agent did or said something since the last look. Returns how
    many. What was seen is compared, not times: clocks of hosts differ."""
    states = sorted({*FLYING_STATES, *MISSED_STATES})
    with connection.cursor() as cursor:
        cursor.execute(_WAKE, {"now": now, "states": states})
        return int(cursor.rowcount)


def wake_reverted(now: datetime, since: datetime) -> int:
    """Have those in use looked at whose agent is back on the one before, unless that was told after
    `since`. Returns how many."""
    with connection.cursor() as cursor:
        cursor.execute(_REVERTED, {"now": now, "since": since})
        return int(cursor.rowcount)
