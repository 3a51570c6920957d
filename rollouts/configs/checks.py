"""Structural checks of a collector config that need no schema (libraries.md), with lines. Pure.

They say what any collector would refuse whatever its build: undefined references, unknown sections,
connectors with one end. A text that cannot be a config at all is refused earlier, by `parse`.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator

from console.lib.durations import shown
from console.lib.yaml import Document
from rollouts.configs.collector import (
    KINDS,
    ROLES,
    SECTIONS,
    SIGNALS,
    Collector,
    Use,
    is_component_id,
    is_pipeline_id,
    type_of,
)
from rollouts.configs.findings import Check, Finding, Level
from rollouts.configs.secrets import literal_secrets

Findings = Iterator[Finding]


def check_config(
    document: Document, *, component_sets: Iterable[frozenset[str]] = ()
) -> list[Finding]:
    """Return one finding per problem, and one `ok` per rule that found none.

    `component_sets` are what the agents in question report (`processor:batch`); without any the
    rule on available components is left out.
    """
    collector = Collector(document)
    found: list[Finding] = list(_secrets(document))
    ran = [Check.SECRETS]
    if not collector.is_collector:
        message = "This is not a collector configuration, so only its syntax was checked."
        found.append(Finding(Check.SECTIONS, Level.NOTE, message))
        ran.append(Check.SECTIONS)
    else:
        for check, rule in _RULES.items():
            found += rule(collector)
            ran.append(check)
        sets = list(component_sets)
        if sets:
            found += _available(collector, sets)
            ran.append(Check.AVAILABLE)
    broken = {finding.check for finding in found}
    found += [Finding(check, Level.OK, _OK[check]) for check in ran if check not in broken]
    order = list(Check)
    return sorted(found, key=lambda finding: (order.index(finding.check), finding.line))


def _sections(collector: Collector) -> Findings:
    for section, body in collector.data.items():
        line = collector.line(section)
        if section not in SECTIONS:
            yield Finding(
                Check.SECTIONS,
                Level.ERROR,
                f"{section[:60]} is not a section of a collector config{_near(section, SECTIONS)}.",
                line,
            )
        elif body is not None and not isinstance(body, dict):
            message = f"{section} is {shown(body)}; a mapping goes here."
            yield Finding(Check.SECTIONS, Level.ERROR, message, line)


def _components(collector: Collector) -> Findings:
    for section, kind in KINDS.items():
        for component in collector.components[section]:
            line = collector.line(section, component)
            body = collector.data[section][component]
            if not is_component_id(component):
                message = f"{shown(component)} cannot name a {kind}; write type or type/name."
                yield Finding(Check.COMPONENTS, Level.ERROR, message, line)
            elif body is not None and not isinstance(body, dict):
                message = f"{kind} {component} is {shown(body)}; its settings go here, or nothing."
                yield Finding(Check.COMPONENTS, Level.ERROR, message, line)


def _service(collector: Collector) -> Findings:
    known = ("pipelines", "extensions", "telemetry")
    for key in collector.service:
        if key not in known:
            message = f"{key[:60]} is not a key of service{_near(key, known)}."
            yield Finding(Check.SERVICE, Level.ERROR, message, collector.line("service", key))
    if not collector.pipelines:
        message = "There are no pipelines in service; by itself a collector runs nothing of this."
        yield Finding(Check.SERVICE, Level.WARNING, message, collector.line("service"))
    extensions = collector.service.get("extensions")
    if extensions is not None and not isinstance(extensions, list):
        message = "service.extensions is not a list."
        line = collector.line("service", "extensions")
        yield Finding(Check.SERVICE, Level.ERROR, message, line)


def _pipelines(collector: Collector) -> Findings:
    for pipeline, body in collector.pipelines.items():
        path = ("service", "pipelines", pipeline)
        line = collector.line(*path)
        if not is_pipeline_id(pipeline):
            message = f"{shown(pipeline)} is not a pipeline; it starts with {', '.join(SIGNALS)}."
            yield Finding(Check.PIPELINES, Level.ERROR, message, line)
        if not isinstance(body, dict):
            message = f"pipeline {pipeline} is {shown(body)}; receivers and exporters go here."
            yield Finding(Check.PIPELINES, Level.ERROR, message, line)
            continue
        for key, names in body.items():
            if key not in ROLES:
                message = f"{key[:60]} is not a key of a pipeline{_near(key, ROLES)}."
                yield Finding(Check.PIPELINES, Level.ERROR, message, collector.line(*path, key))
            elif not _is_list_of_names(names):
                message = f"{key} of pipeline {pipeline} is not a list of names."
                yield Finding(Check.PIPELINES, Level.ERROR, message, collector.line(*path, key))
        for role in ("receivers", "exporters"):
            if not body.get(role):
                message = f"pipeline {pipeline} has no {role}; it needs at least one."
                yield Finding(Check.PIPELINES, Level.ERROR, message, line)


def _references(collector: Collector) -> Findings:
    seen: set[tuple[str, str, str]] = set()
    for use in collector.uses:
        line = collector.document.mark(*use.path).line
        key = (use.pipeline, use.role, use.component)
        if key in seen:
            message = f"{use.component} is named twice in {use.role} of pipeline {use.pipeline}."
            yield Finding(Check.REFERENCES, Level.ERROR, message, line)
        seen.add(key)
        if use.component not in _may_be(collector, use.role):
            yield Finding(Check.REFERENCES, Level.ERROR, _undefined(collector, use), line)
    for number, extension in enumerate(collector.extensions):
        if extension not in collector.components["extensions"]:
            line = collector.document.mark("service", "extensions", number).line
            near = _near(extension, collector.components["extensions"])
            message = f"service.extensions names {extension}, which is not defined{near}."
            yield Finding(Check.REFERENCES, Level.ERROR, message, line)


def _may_be(collector: Collector, role: str) -> set[str]:
    connectors = set() if role == "processors" else collector.components["connectors"]
    return collector.components[role] | connectors


def _undefined(collector: Collector, use: Use) -> str:
    text = f"pipeline {use.pipeline} uses {KINDS[use.role]} {use.component}, which is not defined"
    for section, components in collector.components.items():
        if use.component in components and section != use.role:
            return f"{text}; {use.component} is one of the {section}."
    return f"{text}{_near(use.component, _may_be(collector, use.role))}."


def _connectors(collector: Collector) -> Findings:
    exits, entries = collector.used("exporters"), collector.used("receivers")
    for connector in sorted(collector.components["connectors"]):
        line = collector.line("connectors", connector)
        if (connector in exits) != (connector in entries):
            has, lacks = (
                ("exporters", "receivers")
                if connector in exits
                else (
                    "receivers",
                    "exporters",
                )
            )
            message = (
                f"connector {connector} is among the {has} of a pipeline, but of none among the "
                f"{lacks}; a connector joins two pipelines."
            )
            yield Finding(Check.CONNECTORS, Level.ERROR, message, line)


def _unused(collector: Collector) -> Findings:
    used = {role: collector.used(role) for role in ROLES}
    used["extensions"] = set(collector.extensions)
    used["connectors"] = used["receivers"] | used["exporters"]
    for section, kind in KINDS.items():
        for component in collector.components[section]:
            if component not in used[section]:
                message = f"{kind} {component} is defined but not used."
                line = collector.line(section, component)
                yield Finding(Check.UNUSED, Level.NOTE, message, line)


def _available(collector: Collector, sets: list[frozenset[str]]) -> Findings:
    for section, kind in KINDS.items():
        for component in sorted(collector.components[section]):
            name = f"{kind}:{type_of(component)}"
            lacking = sum(name not in components for components in sets)
            if lacking:
                builds = f"{lacking} of {len(sets)} builds" if len(sets) > 1 else "the build"
                message = f"{kind} {type_of(component)} is not in {builds} that agents report."
                line = collector.line(section, component)
                yield Finding(Check.AVAILABLE, Level.WARNING, message, line)


def _secrets(document: Document) -> Findings:
    for line, message in literal_secrets(document):
        yield Finding(Check.SECRETS, Level.WARNING, message, line)


def _is_list_of_names(names: object) -> bool:
    if names is None:
        return True
    return isinstance(names, list) and all(isinstance(name, str) for name in names)


def _near(word: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean {near[0]}?" if near else ""


_RULES: dict[Check, Callable[[Collector], Findings]] = {
    Check.SECTIONS: _sections,
    Check.COMPONENTS: _components,
    Check.SERVICE: _service,
    Check.PIPELINES: _pipelines,
    Check.REFERENCES: _references,
    Check.CONNECTORS: _connectors,
    Check.UNUSED: _unused,
}
_OK = {
    Check.SECTIONS: "All sections are known.",
    Check.COMPONENTS: "All components are well formed.",
    Check.SERVICE: "The service section is well formed.",
    Check.PIPELINES: "Every pipeline has receivers and exporters.",
    Check.REFERENCES: "Everything that pipelines use is defined.",
    Check.CONNECTORS: "Every connector joins two pipelines.",
    Check.UNUSED: "Everything that is defined is used.",
    Check.SECRETS: "No secret stands in the text.",
    Check.AVAILABLE: "Every component is in the builds that agents report.",
}
