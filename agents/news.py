"""The inbox of agent changes per topic: written with the change, taken by deleting."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection

from agents.models import News


def take(topic: str) -> set[int]:
    """Delete and return the ids of agents that changed under `topic` since the last call.

    Call inside the transaction that acts on them: if it rolls back, the news are still there.
    """
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM agents_news WHERE topic = %s RETURNING agent_id", [topic])
        return {row[0] for row in cursor.fetchall()}


def put(topic: str, agent_ids: Iterable[int]) -> None:
    """Add news, e.g. for agents that were connected or settled before the topic began."""
    News.objects.bulk_create((News(topic=topic, agent_id=pk) for pk in agent_ids), batch_size=5000)
