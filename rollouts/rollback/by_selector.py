"""Works out, for agents chosen by a selector, what each goes back to (spec section 5)."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from agents.models import AgentStatus, ConfigBody, Quarantine
from console.lib.problems import Invalid, Missing, Refused
from console.lib.texts import text
from rollouts.drafts.readiness import last_completed
from rollouts.models import Config, ConfigVersion
from rollouts.rollback.targets import NO_VERSION, NOT_STORED, WayBack, previous_of
from rollouts.sql.ways_back import Runs, runs_now

MAX_DEPTH = 5
_HASH = re.compile(r"(?:sha256-)?([0-9a-fA-F]{64})")


def goal(to: str | int, config: str | None, agent_ids: Sequence[int]) -> str:
    """Return the hash that `to` names, "" for `previous`. Raises Invalid, Missing, Refused.

    A number without a config means the one config whose versions these agents run.
    """
    if to == "previous":
        return ""
    read = str(to).strip()
    number = int(read) if read.isdecimal() and len(read) < 10 else None
    if number is not None:
        config_hash = _by_number(number, config or _only_config(agent_ids))
    else:
        config_hash = _by_hash(read)
    fleet = Quarantine.objects.filter(config_hash=config_hash, agent=None, lifted_at=None).first()
    if fleet is not None:
        raise Refused(
            "rollback.to_quarantined",
            code="quarantined",
            hash=config_hash[:12],
            reason=fleet.reason or fleet.outcome,
        )
    return config_hash


def _by_hash(to: str) -> str:
    match = _HASH.fullmatch(to)
    if match is None:
        raise Invalid.at("to", text("rollback.bad_goal", read=to[:80]))
    config_hash = match[1].lower()
    if not ConfigBody.objects.filter(pk=config_hash).exists():
        raise Missing("rollback.hash_unknown", hash=config_hash)
    return config_hash


def _only_config(agent_ids: Sequence[int]) -> str:
    run = AgentStatus.objects.filter(agent_id__in=agent_ids).exclude(running_hash="")
    hashes = run.values_list("running_hash", flat=True).distinct()
    found = Config.objects.filter(versions__body_ref__in=list(hashes)).order_by("name").distinct()
    names = list(found.values_list("name", flat=True)[:5])
    if len(names) == 1:
        return str(names[0])
    what = text("rollback.they_run", names=names) if names else text("rollback.they_run_none")
    raise Invalid.at("config", text("rollback.whose_version", what=what))


def _by_number(number: int, config: str) -> str:
    version = ConfigVersion.objects.filter(config__name=config, number=number).first()
    if version is None:
        raise Missing("rollback.no_such_version", config=config, number=number)
    return version.config_hash


def ways_back(agent_ids: Sequence[int], to_hash: str) -> list[WayBack]:
    """Return where each agent goes; those that run it already are left out. `to_hash` "" walks
    each agent's own history. A few queries whatever the number of agents."""
    runs = runs_now(agent_ids)
    if to_hash:
        avoid = _quarantined([to_hash])
        return [
            WayBack(r.agent_id, r.running, "", text("no_way.refused"))
            if (r.agent_id, to_hash) in avoid
            else WayBack(r.agent_id, r.running, to_hash)
            for r in runs
            if not (r.running == to_hash and r.desired in ("", to_hash))
        ]
    hashes = sorted({h for r in runs for h in (*r.history, r.running) if h})
    stored = set(ConfigBody.objects.filter(pk__in=hashes).values_list("pk", flat=True))
    fallback = _fallbacks({r.running or r.desired for r in runs})
    avoid = _quarantined([*hashes, *fallback.values()])
    return [
        _previous(r, avoid, stored, fallback)
        for r in runs
        if (r.running or r.desired) and not _is_returning(r, avoid)
    ]


def _is_returning(r: Runs, avoid: set[tuple[int | None, str]]) -> bool:
    """Whether an agent was away when it was rolled back: what it is wanted on is its way back."""
    runs_bad = (r.agent_id, r.running) in avoid or (None, r.running) in avoid
    return runs_bad and r.desired not in ("", r.running)


def _previous(
    r: Runs,
    avoid: set[tuple[int | None, str]],
    stored: set[str],
    fallback: dict[str, str],
) -> WayBack:
    """An agent that was offered something it never applied is already where it was: it goes to
    what it runs, so that the offer is taken back."""
    if r.desired and r.running and r.desired != r.running and r.running in stored:
        return WayBack(r.agent_id, r.desired, r.running)
    leaves = r.running or r.desired
    last = fallback.get(leaves, "")
    mine = {h for h in (*r.history, last) if (r.agent_id, h) in avoid or (None, h) in avoid}
    way = previous_of(
        r.agent_id, r.running, r.history, avoid=mine, stored=stored, max_depth=MAX_DEPTH
    )
    if way.problem in (NO_VERSION, NOT_STORED) and last and last not in mine:
        return WayBack(r.agent_id, leaves, last)
    return way


def _quarantined(hashes: Sequence[str]) -> set[tuple[int | None, str]]:
    rows = Quarantine.objects.filter(config_hash__in=hashes, lifted_at=None)
    return set(rows.values_list("agent_id", "config_hash"))


def _fallbacks(hashes: Collection[str]) -> dict[str, str]:
    """Return, per hash that is left, the last completed other version of its config (spec section 5)."""
    found: dict[str, str] = {}
    for version in ConfigVersion.objects.filter(body_ref__in=hashes).select_related("config"):
        last = last_completed(version.config, other_than=version.config_hash)
        found[version.config_hash] = last.config_hash if last is not None else ""
    return found
