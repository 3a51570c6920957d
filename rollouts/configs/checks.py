"""Structural checks of a collector config that need no schema (libraries.md), with lines. Pure.

An *error* is what every collector refuses, whatever its build; `tests/real` holds the list against
a real one. It is *final* where no other version could take it either: nothing to run, a reference
to nothing, or a text that loses the agent. What only some versions refuse, and what is legal but
hardly meant, is a *warning*. What only the agent can resolve (`${file:...}`) is a *note*. A text
that cannot be a config at all is refused earlier, by `parse`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from console.lib.texts import text
from console.lib.yaml import Document
from rollouts.configs import pipelines, sections, telemetry, values
from rollouts.configs.collector import Collector
from rollouts.configs.findings import Check, ConfigFinding, Severity, grouped
from rollouts.configs.secrets import literal_secrets


def check_config(
    document: Document, *, component_sets: Iterable[frozenset[str]] = ()
) -> list[ConfigFinding]:
    """Return the findings of each rule, few of a kind, and one `ok` per rule that found none.

    `component_sets` are what the agents in question report (`processor:batch`); without any the
    rule on available components is left out.
    """
    collector = Collector(document)
    found = [
        ConfigFinding(Check.SECRETS, Severity.WARNING, says, line)
        for line, says in literal_secrets(document)
    ]
    ran = [Check.SECRETS]
    if not collector.is_collector:
        found.append(ConfigFinding(Check.SECTIONS, Severity.NOTE, text("config.no_collector")))
        ran.append(Check.SECTIONS)
    else:
        for check, rule in _RULES.items():
            found += rule(collector)
            ran.append(check)
        sets = list(component_sets)
        if sets:
            found += pipelines.available(collector, sets)
            ran.append(Check.AVAILABLE)
    broken = {finding.check for finding in found}
    found += [ConfigFinding(check, Severity.OK, _OK[check]) for check in ran if check not in broken]
    return grouped(found)


_RULES: dict[Check, Callable[[Collector], Iterable[ConfigFinding]]] = {
    Check.SECTIONS: sections.sections,
    Check.COMPONENTS: sections.components,
    Check.VALUES: values.values,
    Check.SERVICE: sections.service,
    Check.PROVIDED: sections.provided,
    Check.PIPELINES: pipelines.pipelines,
    Check.REFERENCES: pipelines.references,
    Check.CONNECTORS: pipelines.connectors,
    Check.UNUSED: pipelines.unused,
    Check.TELEMETRY: telemetry.own_metrics,
}
_OK = {
    Check.SECTIONS: text("config.ok_sections"),
    Check.COMPONENTS: text("config.ok_components"),
    Check.VALUES: text("config.ok_values"),
    Check.SERVICE: text("config.ok_service"),
    Check.PIPELINES: text("config.ok_pipelines"),
    Check.REFERENCES: text("config.ok_references"),
    Check.CONNECTORS: text("config.ok_connectors"),
    Check.PROVIDED: text("config.ok_provided"),
    Check.UNUSED: text("config.ok_unused"),
    Check.TELEMETRY: text("config.ok_telemetry"),
    Check.SECRETS: text("config.ok_secrets"),
    Check.AVAILABLE: text("config.ok_available"),
}
