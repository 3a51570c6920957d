"""Want nothing of an agent any more: what it runs stays (OP-31: never an empty config)."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils import timezone

from agents import deliveries
from agents.models import Desired


def clear_desired(agent_ids: Sequence[int], config_hash: str) -> int:
    """Forget that these agents should run `config_hash`, and give up its open deliveries.

    Call inside the transaction that decides it. Agents that are wanted otherwise are left alone.
    Returns how many agents are wanted nothing of now.
    """
    deliveries.supersede(agent_ids, timezone.now(), config_hash)
    return Desired.objects.filter(agent_id__in=agent_ids, config_hash=config_hash).delete()[0]
