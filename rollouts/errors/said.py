"""Read what agents said: of a rollout, of quarantined hashes. One bounded statement each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from rollouts.errors.groups import KINDS, Example, Faults, Said, group
from rollouts.sql import failures as sql

MAX_ROWS = 1_000  # texts by version and region; the rest is counted only
MAX_CHARS = 2_000
REGION = "region"  # the label by which agents are told apart beside their version


def of_rollouts(rollouts: Iterable[int]) -> dict[int, Faults]:
    """Return what the agents that failed in these rollouts said, also those that are back since; no
    entry where nobody failed. MAX_ROWS are read in all, the most frequent first."""
    rows = sql.said_in(rollouts, region=REGION, chars=MAX_CHARS, most=MAX_ROWS)
    texts: dict[int, list[Said]] = defaultdict(list)
    totals: dict[int, int] = {}
    for *row, total, rollout in rows:
        texts[rollout].append(_said(row))
        totals[rollout] = total
    return {rollout: group(of, agents=totals[rollout]) for rollout, of in texts.items()}


def _said(row: Sequence[Any]) -> Said:
    kind, text, version, region, agents, uids, names = row
    samples = tuple(Example(uid, name) for uid, name in zip(uids, names, strict=True))
    return Said(kind, text or "", version, region, agents, samples)


def of_quarantined(hashes: Sequence[str]) -> dict[str, Faults]:
    """Return what agents said that are kept from each of these hashes; none that nobody is."""
    rows = sql.said_of(hashes, KINDS, region=REGION, chars=MAX_CHARS, most=MAX_ROWS)
    by_hash: dict[str, list[Said]] = defaultdict(list)
    for row in rows:
        by_hash[row[-1]].append(_said(row[:-1]))
    return {config_hash: group(of) for config_hash, of in by_hash.items()}
