"""What each topic sends when it is dirty: reads the database, remembers what was sent last.

The memory only spares messages: after a restart everything is simply sent once more.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from accounts.actor import SYSTEM
from agents.models import Agent
from console.live import topics
from console.pages.agents import fragments as agent_fragments
from console.pages.agents import page as agent_page
from console.pages.agents import rows as agent_rows
from console.pages.fleet import fragments as fleet_fragments
from console.pages.fleet import view as fleet_view
from console.pages.frame.fragments import signal
from console.pages.rollouts import fragments as rollout_fragments

MAX_ROWS = 200  # changed agents in one message; more is one signal to read again
MAX_FLEET = 20_000  # above this the whole list is not compared, pages read again


@dataclass(slots=True)
class Sources:
    """Turns a dirty topic into messages; keeps what was sent, to send only what changed."""

    states: dict[int, tuple[str, int]] = field(default_factory=dict)
    agents: dict[int, tuple[object, ...]] | None = None

    def messages(self, topic: str, wanted: Iterable[str], now: datetime) -> dict[str, list[str]]:
        """Return messages by the topic whose followers get them."""
        known = topics.object_of(topic)
        if known and known[0] == "rollout":
            return {topic: self._rollout(known[1])}
        if known and known[0] == "rollback":
            return {topic: [signal("rollback.state", id=known[1])]}
        if known:
            return {topic: self._agent(known[1], now)}
        if topic == topics.FLEET:
            return {topic: [fleet_fragments.fleet(fleet_view.read(SYSTEM, now), now).message()]}
        if topic == topics.AGENTS:
            return self._agents(wanted, now)
        text = signal(f"{topic}.changed")
        return {topics.NAV: [text]} if topic in {topics.ROLLOUTS, topics.APPROVALS} else {}

    def _rollout(self, rollout_id: int) -> list[str]:
        """One message: every region, and that the state is another one, for what pulls itself."""
        found = rollout_fragments.rollout(rollout_id)
        if found is None:
            return []
        rollout, update = found
        state = (rollout.state, rollout.revision)
        if self.states.get(rollout_id) == state:
            return [update.message()]
        self.states[rollout_id] = state
        return [update.message(signal("rollout.state", id=rollout_id, state=rollout.state))]

    def _agent(self, agent_id: int, now: datetime) -> list[str]:
        found = Agent.objects.with_status_word(now).for_list().defer(None)
        agent = found.filter(pk=agent_id).first()
        if agent is None:
            return []
        view = agent_page.read(agent, now, "health")
        return [agent_fragments.agent(view, now).message()]

    def _agents(self, wanted: Iterable[str], now: datetime) -> dict[str, list[str]]:
        """Compare the fleet with what was sent last; send the cells of what changed."""
        found: dict[str, list[str]] = {}
        for topic in wanted:
            known = topics.object_of(topic)
            if known and known[0] == "agent":
                found[topic] = self._agent(known[1], now)
        if topics.AGENTS not in wanted:
            self.agents = None
            return found
        fields = ("pk", "status_word", "version", "status__running_hash", "desired__config_hash")
        rows = Agent.objects.living().with_status_word(now).order_by().values_list(*fields)
        current = {row[0]: row[1:] for row in rows[: MAX_FLEET + 1]}
        before, self.agents = self.agents, current
        if len(current) > MAX_FLEET:
            self.agents = None
            return {**found, topics.AGENTS: [signal("refresh")]}
        if before is None:
            return {**found, topics.AGENTS: [signal("refresh")]}
        changed = [pk for pk, row in current.items() if before.get(pk) != row]
        if not changed:
            return found
        said = signal("agents.changed", ids=changed[:MAX_ROWS], n=len(changed))
        if len(changed) > MAX_ROWS:
            return {**found, topics.AGENTS: [said, signal("refresh")]}
        cells = agent_fragments.agent_cells(agent_rows.by_ids(changed, SYSTEM, now), now)
        return {**found, topics.AGENTS: [cells.message(said)]}
