"""Rules on the sections of a collector config and on what stands in them. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator

from console.lib.durations import shown
from rollouts.configs.collector import (
    KINDS,
    SECTIONS,
    Collector,
    has_odd_name,
    is_component_id,
    is_reference,
    normal_id,
)
from rollouts.configs.findings import Check, Finding, Level

_SERVICE_KEYS = ("pipelines", "extensions", "telemetry")
_NULL = (
    "is empty. A supervisor keeps the empty section over every later config and refuses them all, "
    "the way back too; take the line out"
)


def sections(collector: Collector) -> Iterator[Finding]:
    """Yield what is wrong with the top-level keys."""
    for section, body in collector.data.items():
        line = collector.line(section)
        if section not in SECTIONS:
            message = f"{cut(section)} is not a section of a collector config"
            message += f"{near(section, SECTIONS)}."
            yield Finding(Check.SECTIONS, Level.ERROR, message, line)
        elif body is None:
            yield Finding(Check.SECTIONS, Level.ERROR, f"{section} {_NULL}.", line, is_final=True)
        elif not isinstance(body, dict) and not is_reference(body):
            message = f"{section} is {shown(body)}; a mapping goes here."
            yield Finding(Check.SECTIONS, Level.ERROR, message, line, is_final=True)
    for section in ("receivers", "exporters"):
        if collector.data.get(section, {}) == {}:
            message = f"There are no {section}; a collector starts only with one at least."
            line = collector.line(section)
            yield Finding(Check.SECTIONS, Level.ERROR, message, line, is_final=True)


def components(collector: Collector) -> Iterator[Finding]:
    """Yield what is wrong with the ids and the settings of components."""
    for section, kind in KINDS.items():
        body = collector.data.get(section)
        for component, settings in body.items() if isinstance(body, dict) else ():
            line = collector.line(section, component)
            if not is_component_id(component):
                message = f"{shown(component)} cannot name a {kind}; write type or type/name."
                yield Finding(Check.COMPONENTS, Level.ERROR, message, line)
            elif has_odd_name(component):
                message = (
                    f"{kind} {cut(component)} has a blank or a symbol in its name; newer "
                    "collectors (0.149) refuse that."
                )
                yield Finding(Check.COMPONENTS, Level.WARNING, message, line)
            if collector.components[section][normal_id(component)] != component:
                message = f"{kind} {cut(component)} is defined twice, with other blanks."
                yield Finding(Check.COMPONENTS, Level.ERROR, message, line)
            if not (settings is None or isinstance(settings, dict) or is_reference(settings)):
                message = f"{kind} {cut(component)} is {shown(settings)}; "
                message += "its settings go here, or nothing."
                yield Finding(Check.COMPONENTS, Level.ERROR, message, line)


def service(collector: Collector) -> Iterator[Finding]:
    """Yield what is wrong with the service section apart from its pipelines."""
    for key in collector.service:
        if key not in _SERVICE_KEYS:
            message = f"{cut(key)} is not a key of service{near(key, _SERVICE_KEYS)}."
            yield Finding(Check.SERVICE, Level.ERROR, message, collector.line("service", key))
    pipelines = collector.service.get("pipelines")
    line = collector.line("service", "pipelines")
    if pipelines and not isinstance(pipelines, dict) and not is_reference(pipelines):
        message = f"service.pipelines is {shown(pipelines)}; a mapping goes here."
        yield Finding(Check.SERVICE, Level.ERROR, message, line, is_final=True)
    elif not pipelines and not collector.is_provided("service"):
        message = "There are no pipelines in service; a collector runs nothing and does not start."
        yield Finding(Check.SERVICE, Level.ERROR, message, line, is_final=True)
    extensions = collector.service.get("extensions")
    if not (extensions is None or isinstance(extensions, list) or is_reference(extensions)):
        line = collector.line("service", "extensions")
        message = "service.extensions is not a list."
        yield Finding(Check.SERVICE, Level.ERROR, message, line, is_final=True)
    telemetry = collector.service.get("telemetry")
    if not (telemetry is None or isinstance(telemetry, dict) or is_reference(telemetry)):
        line = collector.line("service", "telemetry")
        message = f"service.telemetry is {shown(telemetry)}; a mapping goes here."
        yield Finding(Check.SERVICE, Level.ERROR, message, line)


def provided(collector: Collector) -> Iterator[Finding]:
    """Yield a note for each part of the structure that only the agent can resolve."""
    for path, text in collector.provided.items():
        place = cut(".".join(str(part) for part in path if isinstance(part, str)))
        verb = "names" if isinstance(path[-1], int) else "comes from"
        message = f"{place} {verb} {cut(text)}; what that is, only the agent knows."
        line = collector.document.mark(*path).line
        yield Finding(Check.PROVIDED, Level.NOTE, message, line)


def cut(text: str) -> str:
    """Return a name as messages show it, however long it is."""
    return text if len(text) <= 60 else f"{text[:59]}..."


def near(word: str, known: Iterable[str]) -> str:
    """Return "; did you mean X?" where a known word is close, else nothing."""
    found = difflib.get_close_matches(word[:60], [one for one in known if len(one) <= 60], n=1)
    return f"; did you mean {found[0]}?" if found else ""
