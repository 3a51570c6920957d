"""Structural checks of a collector config that need no schema (libraries.md), with lines. Pure.

An *error* is what every collector refuses, whatever its build; `tests/real` holds the list against
a real one. It is *final* where no other version could take it either: nothing to run, a reference
to nothing, or a text that loses the agent. What only some versions refuse, and what is legal but
hardly meant, is a *warning*. What only the agent can resolve (`${file:...}`) is a *note*. A text
that cannot be a config at all is refused earlier, by `parse`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from console.lib.yaml import Document
from rollouts.configs import pipelines, sections, telemetry
from rollouts.configs.collector import Collector
from rollouts.configs.findings import Check, Finding, Level, grouped
from rollouts.configs.secrets import literal_secrets


def check_config(
    document: Document, *, component_sets: Iterable[frozenset[str]] = ()
) -> list[Finding]:
    """Return the findings of each rule, few of a kind, and one `ok` per rule that found none.

    `component_sets` are what the agents in question report (`processor:batch`); without any the
    rule on available components is left out.
    """
    collector = Collector(document)
    found = [
        Finding(Check.SECRETS, Level.WARNING, message, line)
        for line, message in literal_secrets(document)
    ]
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
            found += pipelines.available(collector, sets)
            ran.append(Check.AVAILABLE)
    broken = {finding.check for finding in found}
    found += [Finding(check, Level.OK, _OK[check]) for check in ran if check not in broken]
    return grouped(found)


_RULES: dict[Check, Callable[[Collector], Iterable[Finding]]] = {
    Check.SECTIONS: sections.sections,
    Check.COMPONENTS: sections.components,
    Check.SERVICE: sections.service,
    Check.PROVIDED: sections.provided,
    Check.PIPELINES: pipelines.pipelines,
    Check.REFERENCES: pipelines.references,
    Check.CONNECTORS: pipelines.connectors,
    Check.UNUSED: pipelines.unused,
    Check.TELEMETRY: telemetry.own_metrics,
}
_OK = {
    Check.SECTIONS: "All sections are known.",
    Check.COMPONENTS: "All components are well formed.",
    Check.SERVICE: "The service section is well formed.",
    Check.PIPELINES: "Every pipeline has receivers and exporters.",
    Check.REFERENCES: "Everything that pipelines use is defined.",
    Check.CONNECTORS: "Every connector joins two pipelines.",
    Check.PROVIDED: "All of its structure is written out here.",
    Check.UNUSED: "Everything that is defined is used.",
    Check.TELEMETRY: "Agents go on reporting metrics of their own.",
    Check.SECRETS: "No secret stands in the text.",
    Check.AVAILABLE: "Every component is in the builds that agents report.",
}
