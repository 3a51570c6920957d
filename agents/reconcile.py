"""Gateways that died without a word: end their leases and disconnect their agents.

A gateway renews its lease every 5 s and counts as dead after 15 s; with a run every 5 s its agents
are shown as disconnected within 25 s of a kill -9. A clean stop ends its lease itself; what it
could not write is repaired here.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.db import connection, transaction

from agents.models import GatewayLease
from console.lib import hints

logger = logging.getLogger(__name__)

KEPT = timedelta(days=7)


def end_dead_gateways(now: datetime) -> int:
    """End leases that were not renewed. Returns how many agents were disconnected by that.

    Each lease is taken by one runner only; agents are locked by id.
    """
    disconnected = 0
    with transaction.atomic():
        dead = list(
            GatewayLease.objects.select_for_update(skip_locked=True, of=("self",), no_key=True)
            .filter(stopped_at=None, renewed_at__lt=now - GatewayLease.LIFE)
            .order_by("id")
        )
        for lease in dead:
            lease.stopped_at = now
            lease.save(update_fields=["stopped_at"])
            logger.warning("A gateway is gone", extra={"gateway": str(lease)})
    with transaction.atomic(), connection.cursor() as cursor:
        # Also after a clean stop: agents that the gateway could not write any more.
        cursor.execute(_DISCONNECT, {"now": now})
        gone = [row[0] for row in cursor.fetchall()]
        if dead or gone:
            cursor.execute(_CLOSE_SESSIONS)
        disconnected = len(gone)
        topics = set()
        if gone:
            cursor.execute(_NEWS, [gone])
            topics = {row[0] for row in cursor.fetchall()}
            transaction.on_commit(lambda: hints.mark_dirty("fleet", "agents", *topics))
    GatewayLease.objects.filter(stopped_at__lt=now - KEPT).exclude(
        agentstatus__isnull=False
    ).delete()
    return disconnected


_DISCONNECT = """
    WITH gone AS (
        SELECT s.agent_id, l.renewed_at FROM agents_gatewaylease l
        JOIN agents_agentstatus s ON s.gateway_id = l.id
        WHERE l.stopped_at IS NOT NULL AND s.connected
        ORDER BY s.agent_id FOR NO KEY UPDATE OF s
    )
    UPDATE agents_agentstatus s SET connected = false, disconnected_at = gone.renewed_at,
        left_reason = 'gateway lost'
    FROM gone WHERE s.agent_id = gone.agent_id
    RETURNING s.agent_id
"""
_CLOSE_SESSIONS = """
    UPDATE agents_session s SET disconnected_at = greatest(l.renewed_at, s.connected_at),
        reason = 'gateway lost'
    FROM agents_gatewaylease l
    WHERE s.gateway_id = l.id AND s.disconnected_at IS NULL AND l.stopped_at IS NOT NULL
"""
_NEWS = """
    INSERT INTO agents_news (topic, agent_id)
    SELECT d.topic, d.agent_id FROM agents_desired d
    WHERE d.agent_id = ANY(%s) AND d.topic <> ''
    RETURNING topic
"""
