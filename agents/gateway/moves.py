"""Agents that change gateways: the one that has them now tells the one that had them.

Only a hint. Who hears nothing finds out with its next write of the agent.
"""

from __future__ import annotations

import asyncio

from agents.gateway.redis_hints import RedisHints
from agents.gateway.registry.gateway import Gateway


class Moves:
    """Hints about moved agents, sent and heard."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def heard(self, payload: str) -> None:
        """An agent (`gateway:agent`) is somewhere else now: write it, and so see whether it is."""
        gateway_id, _, agent_id = payload.partition(":")
        if gateway_id == str(self._gateway.id) and agent_id.isdigit():
            agent = self._gateway.registry.by_id.get(int(agent_id))
            if agent is not None and agent.connected:
                agent.change().status = True
                self._gateway.flusher.mark(agent)

    async def run(self, redis: RedisHints, every_s: float) -> None:
        """Tell who moved here, until cancelled."""
        while True:
            for gateway_id, agent_id in self._gateway.duplicates.take_moved():
                await redis.tell_moved(gateway_id, agent_id)
            await asyncio.sleep(every_s)
