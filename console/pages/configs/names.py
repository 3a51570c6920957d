"""What a config hash is called: `gateway-prod v18`. A hash nobody uploaded keeps its digits."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from console.words.plain import NO_VALUE
from rollouts.models import ConfigVersion


@dataclass(frozen=True, slots=True)
class ConfigName:
    """A hash with the version it belongs to, if we know one."""

    config_hash: str
    config: str = ""
    number: int = 0

    @property
    def short(self) -> str:
        """`v18`, or the first eight digits of an unknown hash, or a dash for none."""
        if self.number:
            return f"v{self.number}"
        return self.config_hash[:8] or NO_VALUE

    @property
    def full(self) -> str:
        """`gateway-prod v18`, or the same as `short`."""
        return f"{self.config} v{self.number}" if self.number else self.short

    def __bool__(self) -> bool:
        return bool(self.config_hash)


def names_of(hashes: Iterable[str]) -> dict[str, ConfigName]:
    """Return the name of each hash: one query, none when there is nothing to name."""
    wanted = {h for h in hashes if h}
    if not wanted:
        return {}
    found = {h: ConfigName(h) for h in wanted}
    rows = ConfigVersion.objects.filter(body_ref__in=wanted).order_by("-pk")
    for config_hash, config, number in rows.values_list("body_ref", "config__name", "number"):
        found[config_hash] = ConfigName(config_hash, config, number)
    return found
