"""Agents as rows: the page of the list, and the live cells of some of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from accounts.actor import Actor
from agents.models import Agent, AgentStatus, Quarantine
from agents.models.querysets import AgentQuerySet
from agents.models.status import is_late
from agents.selectors.fields import FIELDS, NAME
from agents.selectors.grammar import to_text
from agents.selectors.nearest import nearest
from console.lib.paging import Numbers, count_up_to, numbers_of, part_of, place_of
from console.pages.agents.filters import SORTS, AgentFilter, write_place
from console.pages.configs.names import ConfigName, names_of
from console.words import states as words
from rollouts.selectors import notes_on, selector_q

PER_PAGE = 50
NEAR_VALUES = 500  # of one label: among more, the nearest is chance
BAD = frozenset({"quarantined", "config_failed", "unhealthy", "degraded"})


@dataclass(frozen=True, slots=True)
class AgentRow:
    """One agent, ready to be drawn. `config` says what it runs, `wanted` what it should run. `error`
    is in its own words, `note` in ours."""

    agent: Agent
    status: str
    look: words.Look
    running: ConfigName
    wanted: ConfigName
    error: str
    note: str
    seen_at: datetime | None
    connected: bool
    is_late: bool

    @property
    def is_quiet(self) -> bool:
        """Good states stay quiet, so that the others stand out."""
        return self.status == "healthy"

    @property
    def is_elsewhere(self) -> bool:
        """Whether it runs something else than it should."""
        return bool(self.wanted) and self.wanted.config_hash != self.running.config_hash


@dataclass(frozen=True, slots=True)
class AgentPage:
    """One page of the list. `meant` is what a selector that matches nobody may have meant, `notes`
    say which of its labels no agent has."""

    rows: list[AgentRow]
    newer: str
    older: str
    total: int
    meant: str = ""
    notes: Sequence[str] = ()
    is_in_line: bool = True
    numbers: Numbers | None = None


def matching(form: AgentFilter, actor: Actor, now: datetime) -> AgentQuerySet:
    """Return the agents a filter means, each with its status word."""
    visible = Agent.objects.visible_to(actor).filter(selector_q(form.selector))
    return visible.with_status_word(now).in_status(form.statuses)


def _status_of(agent: Agent) -> AgentStatus:
    return getattr(agent, "status", None) or AgentStatus(agent=agent)


def error_of(agent: Agent, status: AgentStatus, word: str) -> str:
    """Return the agent's own words for what is wrong, because that is why people came."""
    if word in {"config_failed", "quarantined"}:
        return status.config_error
    if word == "degraded":
        return status.sick_component
    return status.health_error or status.sick_component if word == "unhealthy" else ""


def _note_of(agent: Agent, status: AgentStatus, word: str, fallen: Collection[int]) -> str:
    """Return what we know of an agent that a status word hides, "" for nothing."""
    if status.wedged_since:
        return _("Refuses everything: remove the stored config on its host and restart it.")
    if word == "offline" and status.no_word_since:
        return _("Fell silent: it did not say goodbye.")
    return _("Fell back by itself from what it should run.") if agent.pk in fallen else ""


def _fallen(agents: Collection[Agent]) -> frozenset[int]:
    """Return those of these agents that left by themselves what they should run."""
    wanted = {a.pk: a.desired.config_hash for a in agents}
    if not wanted:
        return frozenset()
    left = Quarantine.objects.filter(agent__in=wanted, lifted_at=None, outcome="fell_back")
    found = left.values_list("agent_id", "config_hash")
    return frozenset(pk for pk, config_hash in found if wanted[pk] == config_hash)


def rows_of(agents: Sequence[Agent], now: datetime) -> list[AgentRow]:
    """Return rows for agents read `for_list()` with a status word: one more query for names, one if
    some do not run what they should."""
    statuses = {a.pk: _status_of(a) for a in agents}
    wanted = {a.pk: getattr(getattr(a, "desired", None), "config_hash", "") for a in agents}
    names = names_of([*wanted.values(), *(s.running_hash for s in statuses.values())])
    none = ConfigName("")
    fallen = _fallen([a for a in agents if getattr(a, "status_word", "") == "drifted"])
    rows = []
    for agent in agents:
        status, word = statuses[agent.pk], str(getattr(agent, "status_word", "unknown"))
        connected = status.connected and word != "offline"  # its gateway may be gone, unsaid
        rows.append(
            AgentRow(
                agent=agent,
                status=word,
                look=words.look("agent", word),
                running=names.get(status.running_hash, none),
                wanted=names.get(wanted[agent.pk], none),
                error=error_of(agent, status, word),
                note=_note_of(agent, status, word, fallen),
                seen_at=status.last_seen_at,
                connected=connected,
                is_late=is_late(connected, status.last_seen_at, now),
            )
        )
    return rows


def page_of(form: AgentFilter, actor: Actor, now: datetime) -> AgentPage:
    """Read one page: rows, names of configs, the count (exact to 10,000)."""
    fields = SORTS[form.sort]
    found = matching(form, actor, now)
    total = count_up_to(found)
    part = part_of(found.for_list(), fields, PER_PAGE, after=form.after, before=form.before)
    agents = part.rows
    return AgentPage(
        rows=rows_of(agents, now),
        newer=write_place(place_of(agents[0], fields)) if part.has_before else "",
        older=write_place(place_of(agents[-1], fields)) if part.has_after else "",
        total=total,
        meant="" if total or form.is_empty else _meant(form, actor),
        notes=notes_on([form.selector], Agent.objects.visible_to(actor)),
        numbers=numbers_of(found, fields, part, total) if agents else None,
    )


def _meant(form: AgentFilter, actor: Actor) -> str:
    """Return the nearest selector made of labels that exist, "" when there is none."""
    agents = Agent.objects.visible_to(actor).living()

    def values_of(key: str) -> list[str]:
        if key == NAME:
            return list(agents.order_by("name").values_list("name", flat=True)[:NEAR_VALUES])
        return [] if key in FIELDS else agents.label_values(key, NEAR_VALUES)

    meant = nearest(form.selector, [*agents.label_keys(), *FIELDS], values_of)
    return to_text(meant) if meant is not None else ""


def by_ids(ids: Iterable[int], actor: Actor, now: datetime) -> list[AgentRow]:
    """Read the rows of some agents, for live cells."""
    found = Agent.objects.visible_to(actor).filter(pk__in=list(ids)).with_status_word(now)
    return rows_of(list(found.for_list()), now)
