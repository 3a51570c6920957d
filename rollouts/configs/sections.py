"""Rules on the sections of a collector config and on what stands in them. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator

from console.lib.durations import shown
from console.lib.texts import text
from rollouts.configs.collector import (
    KINDS,
    SECTIONS,
    Collector,
    has_odd_name,
    is_component_id,
    is_reference,
    normal_id,
)
from rollouts.configs.findings import Check, ConfigFinding, Severity

_SERVICE_KEYS = ("pipelines", "extensions", "telemetry")


def sections(collector: Collector) -> Iterator[ConfigFinding]:
    """Yield what is wrong with the top-level keys."""
    for section, body in collector.data.items():
        line = collector.line(section)
        if section not in SECTIONS:
            says = text("config.no_section", read=cut(section), near=near(section, SECTIONS))
            yield ConfigFinding(Check.SECTIONS, Severity.ERROR, says, line)
        elif body is None:
            says = text("config.empty_section", section=section)
            yield ConfigFinding(Check.SECTIONS, Severity.ERROR, says, line, is_final=True)
        elif not isinstance(body, dict) and not is_reference(body):
            says = text("config.no_mapping", key=section, read=shown(body))
            yield ConfigFinding(Check.SECTIONS, Severity.ERROR, says, line, is_final=True)
    for section in ("receivers", "exporters"):
        if collector.data.get(section, {}) == {}:
            says = text("config.none_of", section=section)
            line = collector.line(section)
            yield ConfigFinding(Check.SECTIONS, Severity.ERROR, says, line, is_final=True)


def components(collector: Collector) -> Iterator[ConfigFinding]:
    """Yield what is wrong with the ids and the settings of components."""
    for section, kind in KINDS.items():
        body = collector.data.get(section)
        for component, settings in body.items() if isinstance(body, dict) else ():
            line = collector.line(section, component)
            if not is_component_id(component):
                says = text("config.bad_component", read=shown(component), kind=kind)
                yield ConfigFinding(Check.COMPONENTS, Severity.ERROR, says, line)
            elif has_odd_name(component):
                says = text("config.odd_name", kind=kind, name=cut(component))
                yield ConfigFinding(Check.COMPONENTS, Severity.WARNING, says, line)
            if collector.components[section][normal_id(component)] != component:
                says = text("config.defined_twice", kind=kind, name=cut(component))
                yield ConfigFinding(Check.COMPONENTS, Severity.ERROR, says, line)
            if not (settings is None or isinstance(settings, dict) or is_reference(settings)):
                name, read = cut(component), shown(settings)
                says = text("config.bad_settings", kind=kind, name=name, read=read)
                yield ConfigFinding(Check.COMPONENTS, Severity.ERROR, says, line)


def service(collector: Collector) -> Iterator[ConfigFinding]:
    """Yield what is wrong with the service section apart from its pipelines."""
    for key in collector.service:
        if key not in _SERVICE_KEYS:
            says = text("config.no_service_key", read=cut(key), near=near(key, _SERVICE_KEYS))
            yield ConfigFinding(Check.SERVICE, Severity.ERROR, says, collector.line("service", key))
    pipelines = collector.service.get("pipelines")
    line = collector.line("service", "pipelines")
    if pipelines and not isinstance(pipelines, dict) and not is_reference(pipelines):
        says = text("config.no_mapping", key="service.pipelines", read=shown(pipelines))
        yield ConfigFinding(Check.SERVICE, Severity.ERROR, says, line, is_final=True)
    elif not pipelines and not collector.is_provided("service"):
        says = text("config.no_pipelines")
        yield ConfigFinding(Check.SERVICE, Severity.ERROR, says, line, is_final=True)
    extensions = collector.service.get("extensions")
    if not (extensions is None or isinstance(extensions, list) or is_reference(extensions)):
        line = collector.line("service", "extensions")
        says = text("config.extensions_no_list")
        yield ConfigFinding(Check.SERVICE, Severity.ERROR, says, line, is_final=True)
    telemetry = collector.service.get("telemetry")
    if not (telemetry is None or isinstance(telemetry, dict) or is_reference(telemetry)):
        line = collector.line("service", "telemetry")
        says = text("config.no_mapping", key="service.telemetry", read=shown(telemetry))
        yield ConfigFinding(Check.SERVICE, Severity.ERROR, says, line)


def provided(collector: Collector) -> Iterator[ConfigFinding]:
    """Yield a note for each part of the structure that only the agent can resolve."""
    for path, reference in collector.provided.items():
        place = cut(".".join(str(part) for part in path if isinstance(part, str)))
        says = text("config.comes_from", key=place, read=cut(reference))
        if isinstance(path[-1], int):
            says = text("config.names", key=place, read=cut(reference))
        line = collector.document.mark(*path).line
        yield ConfigFinding(Check.PROVIDED, Severity.NOTE, says, line)


def cut(name: str) -> str:
    """Return a name as messages show it, however long it is."""
    return name if len(name) <= 60 else f"{name[:59]}..."


def near(word: str, known: Iterable[str]) -> str:
    """Return the known word that is close, "" when none is."""
    found = difflib.get_close_matches(word[:60], [one for one in known if len(one) <= 60], n=1)
    return found[0] if found else ""
