"""Rules on pipelines and on what they name. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from agents.components import lacking
from console.lib.durations import shown
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
from rollouts.configs.findings import Check, Finding, Level
from rollouts.configs.sections import cut, near

_BARE_VARIABLE = re.compile(r"\$[A-Za-z_]")
_MAX_COMPARED = 200  # names that a hint for a misspelt one is sought among


def pipelines(collector: Collector) -> Iterator[Finding]:
    """Yield what is wrong with the shape of each pipeline."""
    for pipeline, body in collector.pipelines.items():
        line = collector.line("service", "pipelines", pipeline)
        if not is_pipeline_id(pipeline):
            message = f"{shown(pipeline)} is not a pipeline; it starts with {', '.join(SIGNALS)}."
            yield Finding(Check.PIPELINES, Level.ERROR, message, line)
        elif has_odd_name(pipeline):
            message = f"pipeline {cut(pipeline)} has a blank or a symbol in its name; newer "
            message += "collectors (0.149) refuse that."
            yield Finding(Check.PIPELINES, Level.WARNING, message, line)
        elif type_of(pipeline) == "profiles":
            message = f"pipeline {cut(pipeline)} runs only where service.profilesSupport is on."
            yield Finding(Check.PIPELINES, Level.WARNING, message, line)
        if isinstance(body, dict):
            yield from _roles(collector, pipeline, body)
        elif not is_reference(body):
            message = f"pipeline {cut(pipeline)} is {shown(body)}; "
            message += "receivers and exporters go here."
            yield Finding(Check.PIPELINES, Level.ERROR, message, line, is_final=True)


def _roles(collector: Collector, pipeline: str, body: dict[str, object]) -> Iterator[Finding]:
    path = ("service", "pipelines", pipeline)
    for key, names in body.items():
        line = collector.line(*path, key)
        if key not in ROLES:
            message = f"{cut(key)} is not a key of a pipeline{near(key, ROLES)}."
            yield Finding(Check.PIPELINES, Level.ERROR, message, line)
        elif not _is_list_of_names(names):
            message = f"{key} of pipeline {cut(pipeline)} is not a list of names."
            yield Finding(Check.PIPELINES, Level.ERROR, message, line, is_final=True)
    for role in ("receivers", "exporters"):
        if not body.get(role):
            message = f"pipeline {cut(pipeline)} has no {role}; it needs at least one."
            line = collector.line(*path)
            yield Finding(Check.PIPELINES, Level.ERROR, message, line, is_final=True)


def references(collector: Collector) -> Iterator[Finding]:
    """Yield what pipelines and service.extensions name although it is not defined, or twice."""
    seen: set[tuple[str, str, str]] = set()
    for use in collector.uses:
        line = collector.document.mark(*use.path).line
        key = (use.pipeline, use.role, use.component)
        if key in seen:
            message = f"{cut(use.component)} is named twice in {use.role} of pipeline "
            message += f"{cut(use.pipeline)}."
            # Collectors take a second receiver or exporter of one name for the first.
            level = Level.ERROR if use.role == "processors" else Level.WARNING
            yield Finding(Check.REFERENCES, level, message, line)
        seen.add(key)
        if not _may_be_defined(collector, use.role, use.component):
            yield _undefined(use.component, _undefined_use(collector, use), line)
    for number, extension in collector.extensions:
        if not _may_be_defined(collector, "extensions", extension):
            line = collector.document.mark("service", "extensions", number).line
            hint = near(extension, list(collector.components["extensions"])[:_MAX_COMPARED])
            message = f"service.extensions names {cut(extension)}, which is not defined{hint}."
            yield _undefined(extension, message, line)


def _sections_of(role: str) -> tuple[str, ...]:
    """Return where what stands in a role may be defined: connectors are both ends."""
    return (role, "connectors") if role in ("receivers", "exporters") else (role,)


def _may_be_defined(collector: Collector, role: str, component: str) -> bool:
    return any(
        component in collector.components[section] or collector.is_provided(section)
        for section in _sections_of(role)
    )


def _undefined(component: str, message: str, line: int) -> Finding:
    if _BARE_VARIABLE.match(component):
        message = f"{cut(component)} is not resolved by newer collectors (0.149); "
        message += f"write ${{env:{cut(component[1:])}}}."
        return Finding(Check.REFERENCES, Level.WARNING, message, line)
    return Finding(Check.REFERENCES, Level.ERROR, message, line, is_final=True)


def _undefined_use(collector: Collector, use: Use) -> str:
    text = f"pipeline {cut(use.pipeline)} uses {KINDS[use.role]} {cut(use.component)}, "
    text += "which is not defined"
    for section, components in collector.components.items():
        if use.component in components and section not in _sections_of(use.role):
            return f"{text}; {cut(use.component)} is one of the {section}."
    known = [one for section in _sections_of(use.role) for one in collector.components[section]]
    return f"{text}{near(use.component, known[:_MAX_COMPARED])}."


def connectors(collector: Collector) -> Iterator[Finding]:
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
        message = (
            f"connector {cut(connector)} is among the {has} of a pipeline, but of none among the "
            f"{lacks}; a connector joins two pipelines."
        )
        line = collector.line("connectors", key)
        yield Finding(Check.CONNECTORS, Level.ERROR, message, line, is_final=True)


def unused(collector: Collector) -> Iterator[Finding]:
    """Yield what is defined but not used; nothing where what is used is not known."""
    used = {role: collector.used(role) for role in ROLES}
    used["extensions"] = {extension for _, extension in collector.extensions}
    used["connectors"] = used["receivers"] | used["exporters"]
    for section, kind in KINDS.items():
        is_extension = section == "extensions"
        is_known = collector.extensions_known if is_extension else collector.pipelines_known
        for component, key in collector.components[section].items() if is_known else ():
            if component not in used[section]:
                message = f"{kind} {cut(component)} is defined but not used."
                line = collector.line(section, key)
                yield Finding(Check.UNUSED, Level.NOTE, message, line)


def available(collector: Collector, sets: list[frozenset[str]]) -> Iterator[Finding]:
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
        where = f"{builds} of {len(sets)} builds" if len(sets) > 1 else "the build"
        message = f"{kind} {cut(component)} is not in {where} that agents report."
        yield Finding(Check.AVAILABLE, Level.WARNING, message, lines[name])


def _is_list_of_names(names: object) -> bool:
    if names is None or is_reference(names):
        return True
    return isinstance(names, list) and all(isinstance(name, str) for name in names)
