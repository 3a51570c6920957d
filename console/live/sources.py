"""What each topic sends when it is dirty: reads the database, remembers what was sent last.

The memory only spares messages: after a restart everything is simply sent once more.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

from accounts.actor import SYSTEM
from agents.models import Agent
from agents.models.status import is_late
from console.lib.database.snapshot import snapshot
from console.live import topics
from console.pages.agents import fragments as agent_fragments
from console.pages.agents import page as agent_page
from console.pages.agents import rows as agent_rows
from console.pages.fleet import fragments as fleet_fragments
from console.pages.fleet import view as fleet_view
from console.pages.frame.fragments import Update, signal
from console.pages.rollouts import fragments as rollout_fragments

MAX_ROWS = 200  # changed agents in one message; more is one signal to read again
MAX_TOLD = 1000  # topics whose last words are remembered
FIELDS = (
    *("pk", "status__connected", "status__last_seen_at"),
    *("status_word", "version", "status__running_hash", "desired__config_hash"),
)
MAX_FLEET = 20_000  # above this the whole list is not compared, pages read again

# What of a region moves with time alone: its place in line, ages, charts that end now.
_LOOSE = re.compile(
    r'\bdata-seq="\d+"|<time[^>]*data-t="rel">[^<]*</time>|<svg.*?</svg>', re.DOTALL
)


@dataclass(slots=True)
class Sources:
    """Turns a dirty topic into messages; keeps what was sent, to send only what changed."""

    states: dict[int, tuple[str, int]] = field(default_factory=dict)
    agents: dict[int, tuple[object, ...]] | None = None
    told: dict[str, str] = field(default_factory=dict)

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
            with snapshot() as at:
                update = fleet_fragments.fleet(fleet_view.read(SYSTEM, at), at)
            return {topic: [update.message(*self._changed(topic, update, "fleet.changed"))]}
        if topic == topics.AGENTS:
            return self._agents(wanted, now)
        text = signal(f"{topic}.changed")
        if topic == topics.ROLLOUTS:  # which one is at work on an agent stands on the agent's page
            return {topics.NAV: [text], **self._followed(wanted, now)}
        if topic in topics.COUNTED:
            return {topics.NAV: [text]}
        return {topic: [text]} if topic in topics.SIGNALS else {}

    def _rollout(self, rollout_id: int) -> list[str]:
        """One message: every region, and that the state is another one, for what pulls itself."""
        found = rollout_fragments.rollout(rollout_id)
        if found is None:
            return []
        rollout, update = found
        signals = self._changed(rollout.topic, update, "rollout.changed", id=rollout_id)
        state = (rollout.state, rollout.revision)
        if self.states.get(rollout_id) != state:
            self.states[rollout_id] = state
            signals.append(signal("rollout.state", id=rollout_id, state=rollout.state))
        return [update.message(*signals)]

    def _changed(
        self, topic: str, update: Update, event: str, rest: str = "", **fields: object
    ) -> list[str]:
        """Return the signal for what pulls itself, when the regions, or the rest of the page that is
        not sent, say something else than before."""
        words = sha256(_LOOSE.sub("", update.html + rest).encode()).hexdigest()
        if len(self.told) > MAX_TOLD:
            self.told.clear()
        if self.told.get(topic) == words:
            return []
        self.told[topic] = words
        return [signal(event, **fields)]

    def _agent(self, agent_id: int, now: datetime) -> list[str]:
        found = Agent.objects.with_status_word(now).for_page()
        agent = found.filter(pk=agent_id).first()
        if agent is None:
            return []
        view = agent_page.read(agent, now, "summary")
        update = agent_fragments.agent(view, now)
        rest = agent_fragments.rest(view, now)
        return [update.message(*self._changed(f"agent:{agent_id}", update, "agent.changed", rest))]

    def _followed(self, wanted: Iterable[str], now: datetime) -> dict[str, list[str]]:
        """Draw the agents whose own pages somebody looks at."""
        known = [(topic, topics.object_of(topic)) for topic in wanted]
        return {
            topic: self._agent(one[1], now) for topic, one in known if one and one[0] == "agent"
        }

    def _agents(self, wanted: Iterable[str], now: datetime) -> dict[str, list[str]]:
        """Compare the fleet with what was sent last; send the cells of what changed."""
        found = self._followed(wanted, now)
        if topics.AGENTS not in wanted:
            self.agents = None
            return found
        seen = Agent.objects.living().with_status_word(now).order_by().values_list(*FIELDS)
        current = {
            pk: (on, *row, is_late(on, at, now)) for pk, on, at, *row in seen[: MAX_FLEET + 1]
        }
        before, self.agents = self.agents, current
        if len(current) > MAX_FLEET:
            self.agents = None
            return {**found, topics.AGENTS: [signal("refresh")]}
        if before is None:
            return {**found, topics.AGENTS: [signal("refresh")]}
        changed = [pk for pk, row in current.items() if before.get(pk) != row]
        changed += before.keys() - current.keys()
        if not changed:
            return found
        said = signal("agents.changed", ids=changed[:MAX_ROWS], n=len(changed))
        if len(changed) > MAX_ROWS:
            return {**found, topics.AGENTS: [said, signal("refresh")]}
        cells = agent_fragments.agent_cells(agent_rows.by_ids(changed, SYSTEM, now), now)
        return {**found, topics.AGENTS: [cells.message(said)]}
