"""Agents by what a metric calls them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from uuid import UUID

from django.db import connection

_GOING_BY = """
    SELECT id FROM agents_agent
    WHERE retired_at IS NULL AND labels @> ANY(%(labels)s::jsonb[])
       OR instance_uid = ANY(%(uids)s::uuid[])
"""


def going_by(attribute: str, values: Sequence[str], uids: Sequence[UUID]) -> list[int]:
    """Return the ids of the agents with one of these values of a label, and of those with one of
    these uids. Each side has an index."""
    labels = [json.dumps({attribute: value}) for value in values]
    with connection.cursor() as cursor:
        cursor.execute(_GOING_BY, {"labels": labels, "uids": list(uids)})
        return [row[0] for row in cursor.fetchall()]
