"""The changed lines of two versions for review and approval: few, and without what is secret."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import islice

from agents.models import ConfigBody
from console.lib.secret_text import hide_secrets
from console.pages.configs import diff_rows
from console.pages.configs.diff_rows import Row
from rollouts.configs.diff import Diff, diff
from rollouts.models import ConfigVersion, Rollout

LINES = 60  # rows that are shown; the rest is on the page of the difference


@dataclass(frozen=True, slots=True)
class Inline:
    """The difference of two versions of a config as rows; `more` says that not all are shown."""

    config: str
    old: ConfigVersion
    new: ConfigVersion
    diff: Diff
    lines: list[Row]
    more: bool


def changed_lines(rollout: Rollout, bodies: Mapping[str, bytes]) -> Inline | None:
    """Return what a rollout changes; None where there is nothing before."""
    old, new = rollout.previous_version, rollout.version
    if old is None or old.pk == new.pk:
        return None
    seen: dict[str, int] = {}
    texts = [_shown(bodies.get(version.config_hash, b""), seen) for version in (old, new)]
    found = diff(*texts)
    rows = list(islice((row for row in diff_rows.unified(found, fold=True)), LINES + 1))
    return Inline(rollout.config.name, old, new, found, rows[:LINES], len(rows) > LINES)


def bodies_of(versions: Iterable[ConfigVersion | None]) -> dict[str, bytes]:
    """Read the bodies of versions: one query."""
    hashes: Collection[str] = {v.config_hash for v in versions if v is not None}
    found = ConfigBody.objects.filter(pk__in=hashes).values_list("pk", "body")
    return {pk: bytes(body) for pk, body in found}


def _shown(body: bytes, seen: dict[str, int]) -> str:
    """Return the text with a number in place of each secret, so that a change of one is seen."""

    def mark(secret: str) -> str:
        return f"[secret {seen.setdefault(secret, len(seen) + 1)}]"

    return hide_secrets(body.decode("utf-8", "replace"), mark)
