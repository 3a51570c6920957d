"""Selectors together with what they may refer to: saved ones (`@name`), configs (`config=gateway@v3`)."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Max, Q, QuerySet

from agents.models import Agent
from agents.models.querysets import AgentQuerySet
from agents.selectors.compile import to_q
from agents.selectors.errors import SelectorError
from agents.selectors.fields import FIELDS, config_and_number, wanted
from agents.selectors.grammar import Selector, parse
from agents.selectors.matching import names_config
from agents.selectors.references import check_references, labels_in, names_in
from agents.selectors.tree import Glob, Value
from console.lib.texts import Text, said, text
from rollouts.models import Config, ConfigVersion, NamedSelector

_KEYS_ASKED = 20  # labels of one selector that are looked for
_AGENTS_READ = 2_000  # for the labels that a mistyped one may have meant


def saved_selectors() -> dict[str, Selector]:
    """Read all saved selectors: one query."""
    rows = NamedSelector.objects.values_list("name", "text")
    return {name: parse(text) for name, text in rows}


def selector_q(selector: Selector) -> Q:
    """Return the condition on `Agent`, reading saved selectors only when it refers to any.

    Raises SelectorError when one is missing or leads back to itself, or a config is not there.
    """
    if not names_in(selector):
        return to_q(selector, configs=hashes_of)
    saved = saved_selectors()
    check_references("", selector, saved)
    return to_q(selector, saved, hashes_of)


def hashes_of(values: tuple[Value, ...] | None) -> QuerySet[ConfigVersion, str]:
    """Return the hashes that values of `config` name, as a query; of every config for None.

    Raises SelectorError for a config or a version that is not there; a pattern may mean none.
    """
    versions = ConfigVersion.objects.order_by()
    if values is not None:
        versions = versions.filter(pk__in=list(_versions(values)))
    return versions.values_list("body_ref_id", flat=True)


def _versions(values: tuple[Value, ...]) -> Iterable[int]:
    """Yield the ids of the versions that the values mean."""
    versions = ConfigVersion.objects.order_by()
    if not any(isinstance(value, Glob) for value in values):
        named = [config_and_number(wanted(value)) for value in values]
        versions = versions.filter(config__name__in=[one[0] for one in named if one])
    rows = list(versions.values_list("pk", "config__name", "number"))
    for value in values:
        found = [pk for pk, name, number in rows if names_config(value, name, number)]
        if not found and not isinstance(value, Glob):
            raise SelectorError(_missing(wanted(value)))
        yield from found


def _missing(read: str) -> Text:
    name, number = config_and_number(read) or (read, None)
    config = Config.objects.annotate(newest=Max("versions__number")).filter(name=name).first()
    if config is None or number is None:
        known = Config.objects.values_list("name", flat=True)
        near = difflib.get_close_matches(name, known, n=1)
        return text("selector.no_such_config", name=name[:60], near=near)
    return text(
        "selector.no_such_version", name=name, number=f"v{number}", newest=f"v{config.newest}"
    )


@dataclass(frozen=True, slots=True)
class NoLabel:
    """A label that a selector asks and no agent has; `near` is one that it may have meant, or ""."""

    key: str
    near: str = ""

    @property
    def says(self) -> Text:
        """Return the sentence for it."""
        return text("selector.nobody_has", key=self.key[:60], near=self.near)


def labels_nobody_has(
    selectors: Iterable[Selector], agents: AgentQuerySet | None = None
) -> list[NoLabel]:
    """Return which labels of these selectors no living agent has: one query, one more if there is
    any. Such a selector is most often a typo, and `nmae!=x` means everybody."""
    keys = {key for selector in selectors for key in labels_in(selector)}
    if not keys:
        return []
    everyone = (agents if agents is not None else Agent.objects.all()).living()
    missing = everyone.labels_nobody_has(sorted(keys)[:_KEYS_ASKED])
    if not missing:
        return []
    known = everyone.order_by("-pk").sample_of_label_keys(_AGENTS_READ)
    if not known:  # a fleet that is yet to come has no label at all
        return []
    return [NoLabel(key, _near(key, [*FIELDS, *known])) for key in missing]


def notes_on(selectors: Iterable[Selector], agents: AgentQuerySet | None = None) -> list[str]:
    """Return what a person should know of selectors that can be read, as sentences."""
    return [said(one.says) for one in labels_nobody_has(selectors, agents)]


def _near(key: str, known: list[str]) -> str:
    return next(iter(difflib.get_close_matches(key, known, n=1, cutoff=0.7)), "")
