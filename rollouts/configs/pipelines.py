"""Rules on pipelines and on what they name. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from agents.components import lacking
from console.lib.durations import shown
from console.lib.texts import Text, text
from rollouts.configs.collector import (
    KINDS,
    ROLES,
    SIGNALS,
    Collector,
    Use,
    has_odd_name,
    is_pipeline_id,
    is_reference,
    type_of,
)
from rollouts.configs.findings import Check, ConfigFinding, Severity
from rollouts.configs.sections import cut, near

_BARE_VARIABLE = re.compile(r"\$[A-Za-z_]")
_MAX_COMPARED = 200  # names that a hint for a misspelt one is sought among


def pipelines(collector: Collector) -> Iterator[ConfigFinding]:
    """Yield what is wrong with the shape of each pipeline."""
    for pipeline, body in collector.pipelines.items():
        line = collector.line("service", "pipelines", pipeline)
        if not is_pipeline_id(pipeline):
            says = text("config.no_pipeline", read=shown(pipeline), signals=tuple(SIGNALS))
            yield ConfigFinding(Check.PIPELINES, Severity.ERROR, says, line)
        elif has_odd_name(pipeline):
            says = text("config.odd_name", kind="pipeline", name=cut(pipeline))
            yield ConfigFinding(Check.PIPELINES, Severity.WARNING, says, line)
        elif type_of(pipeline) == "profiles":
            says = text("config.profiles_pipeline", name=cut(pipeline))
            yield ConfigFinding(Check.PIPELINES, Severity.WARNING, says, line)
        if isinstance(body, dict):
            yield from _roles(collector, pipeline, body)
        elif not is_reference(body):
            says = text("config.bad_pipeline", name=cut(pipeline), read=shown(body))
            yield ConfigFinding(Check.PIPELINES, Severity.ERROR, says, line, is_final=True)


def _roles(collector: Collector, pipeline: str, body: dict[str, object]) -> Iterator[ConfigFinding]:
    path = ("service", "pipelines", pipeline)
    for key, names in body.items():
        line = collector.line(*path, key)
        if key not in ROLES:
            says = text("config.no_pipeline_key", read=cut(key), near=near(key, ROLES))
            yield ConfigFinding(Check.PIPELINES, Severity.ERROR, says, line)
        elif not _is_list_of_names(names):
            says = text("config.no_list_of_names", key=key, pipeline=cut(pipeline))
            yield ConfigFinding(Check.PIPELINES, Severity.ERROR, says, line, is_final=True)
    for role in ("receivers", "exporters"):
        if not body.get(role):
            says = text("config.pipeline_without", pipeline=cut(pipeline), role=role)
            line = collector.line(*path)
            yield ConfigFinding(Check.PIPELINES, Severity.ERROR, says, line, is_final=True)


def references(collector: Collector) -> Iterator[ConfigFinding]:
    """Yield what pipelines and service.extensions name although it is not defined, or twice."""
    seen: set[tuple[str, str, str]] = set()
    for use in collector.uses:
        line = collector.document.mark(*use.path).line
        key = (use.pipeline, use.role, use.component)
        if key in seen:
            names = {"name": cut(use.component), "pipeline": cut(use.pipeline)}
            says = text("config.named_twice", role=use.role, **names)
            # Collectors take a second receiver or exporter of one name for the first.
            level = Severity.ERROR if use.role == "processors" else Severity.WARNING
            yield ConfigFinding(Check.REFERENCES, level, says, line)
        seen.add(key)
        if not _may_be_defined(collector, use.role, use.component):
            yield _undefined(use.component, _undefined_use(collector, use), line)
    for number, extension in collector.extensions:
        if not _may_be_defined(collector, "extensions", extension):
            line = collector.document.mark("service", "extensions", number).line
            known = list(collector.components["extensions"])[:_MAX_COMPARED]
            says = text("config.no_extension", name=cut(extension), near=near(extension, known))
            yield _undefined(extension, says, line)


def _sections_of(role: str) -> tuple[str, ...]:
    """Return where what stands in a role may be defined: connectors are both ends."""
    return (role, "connectors") if role in ("receivers", "exporters") else (role,)


def _may_be_defined(collector: Collector, role: str, component: str) -> bool:
    return any(
        component in collector.components[section] or collector.is_provided(section)
        for section in _sections_of(role)
    )


def _undefined(component: str, says: Text, line: int) -> ConfigFinding:
    if _BARE_VARIABLE.match(component):
        says = text("config.bare_variable", read=cut(component), name=cut(component[1:]))
        return ConfigFinding(Check.REFERENCES, Severity.WARNING, says, line)
    return ConfigFinding(Check.REFERENCES, Severity.ERROR, says, line, is_final=True)


def _undefined_use(collector: Collector, use: Use) -> Text:
    names = {
        "pipeline": cut(use.pipeline),
        "kind": KINDS[use.role],
        "name": cut(use.component),
    }
    for section, components in collector.components.items():
        if use.component in components and section not in _sections_of(use.role):
            return text("config.undefined_but_in", section=section, **names)
    known = [one for section in _sections_of(use.role) for one in collector.components[section]]
    return text("config.undefined", near=near(use.component, known[:_MAX_COMPARED]), **names)


def connectors(collector: Collector) -> Iterator[ConfigFinding]:
    """Yield connectors that have one end only; none where not every pipeline is known."""
    if not collector.pipelines_known:
        return
    exits, entries = collector.used("exporters"), collector.used("receivers")
    for connector, key in collector.components["connectors"].items():
        if (connector in exits) == (connector in entries):
            continue
        has, lacks = "exporters", "receivers"
        if connector in entries:
            has, lacks = lacks, has
        says = text("config.one_ended", name=cut(connector), has=has, lacks=lacks)
        line = collector.line("connectors", key)
        yield ConfigFinding(Check.CONNECTORS, Severity.ERROR, says, line, is_final=True)


def unused(collector: Collector) -> Iterator[ConfigFinding]:
    """Yield what is defined but not used; nothing where what is used is not known."""
    used = {role: collector.used(role) for role in ROLES}
    used["extensions"] = {extension for _, extension in collector.extensions}
    used["connectors"] = used["receivers"] | used["exporters"]
    for section, kind in KINDS.items():
        is_extension = section == "extensions"
        is_known = collector.extensions_known if is_extension else collector.pipelines_known
        for component, key in collector.components[section].items() if is_known else ():
            if component not in used[section]:
                says = text("config.unused", kind=kind, name=cut(component))
                line = collector.line(section, key)
                yield ConfigFinding(Check.UNUSED, Severity.NOTE, says, line)


def available(collector: Collector, sets: list[frozenset[str]]) -> Iterator[ConfigFinding]:
    """Yield component types that some builds do not have, by any of their names."""
    lines: dict[str, int] = defaultdict(int)
    for section, kind in KINDS.items():
        for component, key in collector.components[section].items():
            name = f"{kind}:{type_of(component)}"
            lines[name] = min(lines[name] or 1 << 31, collector.line(section, key))
    missing: dict[str, int] = defaultdict(int)
    for components in sets:
        for name in lacking(lines, components):
            missing[name] += 1
    for name, builds in missing.items():
        kind, _, component = name.partition(":")
        says = text("config.not_in_the_build", kind=kind, name=cut(component))
        if len(sets) > 1:
            says = text(
                "config.not_in_builds",
                kind=kind,
                name=cut(component),
                builds=builds,
                of=len(sets),
            )
        yield ConfigFinding(Check.AVAILABLE, Severity.WARNING, says, lines[name])


def _is_list_of_names(names: object) -> bool:
    if names is None or is_reference(names):
        return True
    return isinstance(names, list) and all(isinstance(name, str) for name in names)
