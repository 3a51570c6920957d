"""Give up on deliveries that nobody confirmed in time; the rollout engine decides when."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from agents.models import Delivery


def settle_timed_out(agent_ids: Iterable[int], config_hash: str, now: datetime) -> list[int]:
    """Close the open deliveries of this hash to these agents as timed out.

    Returns the agents for which that was so; the others have an outcome already, read it.
    """
    timed_out = Delivery.objects.filter(
        agent_id__in=list(agent_ids), config_hash=config_hash, state=Delivery.State.OPEN
    )
    found = sorted(
        timed_out.order_by("agent_id")
        .select_for_update(of=("self",), no_key=True)
        .values_list("agent_id", flat=True)
    )
    timed_out.filter(agent_id__in=found).update(state=Delivery.State.TIMED_OUT, settled_at=now)
    return found
