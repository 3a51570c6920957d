"""The errors of a rollout as one thing: groups, the lines they name, what sets the agents apart."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from agents.models import ConfigBody
from console.lib.texts import Text
from rollouts.errors import causes, said
from rollouts.errors.apart import Apart
from rollouts.errors.groups import NOBODY, Fault, Faults
from rollouts.errors.places import ConfigText, Place, places, source_of
from rollouts.models import ConfigVersion, Rollout


@dataclass(frozen=True, slots=True)
class Located:
    """A group, and what it names in the version."""

    group: Fault
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class ErrorReport:
    """Everything that is said of a version's failures. `version` and `before` are the versions whose
    lines are meant; `apart` is None where nothing was compared."""

    located: tuple[Located, ...]
    agents: int
    more: int
    version: ConfigVersion
    before: ConfigVersion | None
    apart: Apart | None

    def __bool__(self) -> bool:
        return bool(self.located)


def of_rollout(rollout: Rollout) -> ErrorReport:
    """Report on one rollout: two statements, one more for each text of a config not read before.

    `rollout` was read with its version, its previous version and its config.
    """
    groups = said.of_rollouts([rollout.pk]).get(rollout.pk, NOBODY)
    compared = causes.of_rollout(rollout) if groups else None
    return report(groups, rollout.version, rollout.previous_version, compared)


def report(
    groups: Faults,
    version: ConfigVersion,
    before: ConfigVersion | None,
    compared: Apart | None = None,
) -> ErrorReport:
    """Put the lines to the groups."""
    old = before.config_hash if before is not None else ""
    located = tuple(
        Located(one, locate(one.text, version.config_hash, old)) for one in groups.groups
    )
    return ErrorReport(located, groups.agents, groups.more, version, before, compared)


def locate(text: Text | str, new_hash: str, old_hash: str = "") -> tuple[Place, ...]:
    """Return what a text names in the config behind a hash; nothing for words of ours."""
    return () if isinstance(text, Text) else _located(text, new_hash, old_hash)


# What a hash stands for never changes, and open pages are drawn anew with every agent that fails.
@lru_cache(maxsize=512)
def _located(text: str, new_hash: str, old_hash: str) -> tuple[Place, ...]:
    new = _source(new_hash)
    return places(text, new, _source(old_hash) if old_hash else None) if new is not None else ()


@lru_cache(maxsize=8)
def _source(config_hash: str) -> ConfigText | None:
    body = ConfigBody.objects.filter(pk=config_hash).values_list("body", flat=True).first()
    return source_of(bytes(body)) if body is not None else None
