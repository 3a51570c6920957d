"""The effective config that an agent shows, beside the config that it is assigned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from agents.models import AgentBody, ConfigBody
from agents.opamp.containment import contains
from agents.redacting import own_redactor
from console.lib.yaml import load, written
from console.lib.yaml_scalars import YamlError
from console.pages.configs import diff_rows
from console.pages.configs.diff_rows import Row
from console.pages.configs.names import ConfigName
from console.words import states as words
from console.words.plain import plain
from rollouts.configs.diff import Diff, diff

MOST_CHARS = 200_000  # of a text that is compared; the longest are read by people elsewhere


@dataclass(frozen=True, slots=True)
class EffectiveFile:
    """One file of the effective config, its secrets taken out by the gateway."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Against:
    """What is shown against what is assigned. `lines` are empty where nothing differs; `is_ordered`
    says that both were put into one order and lost their comments, so that order is no difference."""

    assigned: ConfigName
    look: words.Look
    diff: Diff
    lines: Sequence[Row]
    is_ordered: bool


@dataclass(frozen=True, slots=True)
class Effective:
    """The tab. `against` is None where there is nothing to compare; `why_not` says why."""

    files: list[EffectiveFile]
    against: Against | None = None
    why_not: str = ""


def read(body: AgentBody | None, assigned: ConfigName) -> Effective:
    """Return the effective config, compared with the assigned one: one query."""
    files = _files(body)
    if not files:
        return Effective([])
    if not assigned:
        return Effective(files, None, _("It is assigned no config."))
    if len(files) > 1:
        return Effective(files, None, _("It shows several files, the assigned config is one."))
    kept = ConfigBody.objects.filter(pk=assigned.config_hash).values_list("body", flat=True).first()
    if kept is None:
        return Effective(files, None, _("The text of what it is assigned is not stored here."))
    # The same marks as the gateway makes: a secret that is the same in both is no difference.
    sent = own_redactor().redact(bytes(kept).decode("utf-8", "replace"))
    if max(len(sent), len(files[0].text)) > MOST_CHARS:
        return Effective(files, None, _("It is too long to be compared here."))
    return Effective(files, against(assigned, sent, files[0].text))


def _files(body: AgentBody | None) -> list[EffectiveFile]:
    if body is None or not isinstance(body.body, dict):
        return []
    files = body.body.get("files", body.body)
    return [
        EffectiveFile(
            plain(name or _("collector.yaml")), str(f.get("body", "") if isinstance(f, dict) else f)
        )
        for name, f in files.items()
    ]


def against(assigned: ConfigName, sent: str, shown: str) -> Against:
    """Compare two texts. Pure but for the language."""
    ours, theirs = _ordered(sent), _ordered(shown)
    is_ordered = bool(ours and theirs)
    found = diff(ours, theirs) if is_ordered else diff(sent, shown)
    lines = [] if found.is_same else list(diff_rows.unified(found, fold=True))
    return Against(assigned, _look(sent, shown, found, is_ordered), found, lines, is_ordered)


def _look(sent: str, shown: str, found: Diff, is_ordered: bool) -> words.Look:
    if sent == shown:
        return words.Look("ok", "ok", _("The same, letter by letter"))
    if is_ordered and found.is_same:
        return words.Look("ok", "ok", _("The same settings, written otherwise"))
    if is_ordered and contains(sent, shown):
        says = _("All that is assigned is in it; the rest the agent added")
        return words.Look("ok", "ok", says)
    return words.Look("warn", "triangle", _("It differs from what is assigned"))


def _ordered(text: str) -> str:
    """Return the settings in the order of their names, without comments; "" for what is no YAML."""
    try:
        data = load(text).data
    except YamlError:
        return ""
    if not isinstance(data, dict):
        return ""
    return written(_by_name(data))


def _by_name(value: object) -> object:
    """Return the value with all its mappings in the order of their names."""
    if isinstance(value, dict):
        return {key: _by_name(value[key]) for key in sorted(value, key=str)}
    return [_by_name(item) for item in value] if isinstance(value, list) else value
