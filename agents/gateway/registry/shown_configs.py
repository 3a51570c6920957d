"""Reads what agents run from the effective configs they show, beside the loop that serves them.

Only for agents that report no status (`shown_config.py`), or whose words after a refusal leave in
doubt what they run (`config_words.py`); only when what they show has changed or an offer waits for their word, a few at a time and in a thread: a config of a megabyte takes a second.
What an agent has shown is compared before its secrets are taken out, and kept no longer.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from itertools import islice

from agents.gateway.connections import Held
from agents.gateway.database import AWAY
from agents.gateway.registry.bodies import Bodies, body_of
from agents.opamp.config_words import take_seen_running, take_shown
from agents.opamp.opamp_pb2 import EffectiveConfig
from agents.opamp.shown_config import ShownConfig, is_judged_by_it, what_runs

logger = logging.getLogger(__name__)

AT_ONCE = 20
_AFTER_FAILURE_S = 1.0


class ShownConfigs:
    """The newest effective config of each agent that waits to be read."""

    def __init__(self, bodies: Bodies, mark: Callable[[Held], None]) -> None:
        self._bodies = bodies
        self._mark = mark
        self._waiting: dict[Held, EffectiveConfig] = {}
        self._wake = asyncio.Event()

    def note(self, agent: Held) -> None:
        """Take what the agent has just shown. A newer one replaces an older one."""
        message, agent.shown_config = agent.shown_config, None
        if message is not None:
            self._waiting[agent] = message
            self._wake.set()

    async def run(self) -> None:
        """Read for ever."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                try:
                    await self.look()
                except AWAY as error:
                    logger.warning(
                        "PostgreSQL is away, effective configs wait", extra={"error": str(error)}
                    )
                    await asyncio.sleep(_AFTER_FAILURE_S)

    async def look(self) -> None:
        """Read what some of them run. While the database is away they go on waiting."""
        agents = list(islice(self._waiting, AT_ONCE))
        await self._bodies.ensure(key for agent in agents for key in _may_run(agent))
        # What is asked about is what was wanted at this moment; a later wish asks again.
        questions = [self._question(agent, self._waiting.pop(agent)) for agent in agents]
        found = await asyncio.to_thread(lambda: [what_runs(question) for question in questions])
        for agent, question, config_hash in zip(agents, questions, found, strict=True):
            if not question.shown:
                continue  # empty while a collector starts: no word at all
            if is_judged_by_it(agent.capabilities):
                take_shown(agent, config_hash, time.time())
            elif agent.in_doubt or agent.doubted:
                take_seen_running(agent, config_hash, time.time())
            if agent.changes is not None:
                self._mark(agent)

    def _question(self, agent: Held, message: EffectiveConfig) -> ShownConfig:
        files = [file.body for _, file in sorted(message.config_map.config_map.items())]
        return ShownConfig(
            shown=tuple(body.decode("utf-8", "replace") for body in files if body.strip()),
            candidates=dict(self._texts(_may_run(agent))),
            running=agent.running_hash,
            desired=agent.desired_hash,
        )

    def _texts(self, hashes: Iterable[str]) -> Iterable[tuple[str, str]]:
        for key in hashes:
            part = self._bodies.get(key)
            if part is not None:
                yield key, body_of(part).decode("utf-8", "replace")


def _may_run(agent: Held) -> list[str]:
    """Return the configs that an agent may run, each once."""
    known = (
        agent.running_hash,
        agent.desired_hash,
        agent.open_hash,
        agent.former_hash,
        agent.config_hash,
    )
    return [key for key in dict.fromkeys(known) if key]
