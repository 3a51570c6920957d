"""What the checks say of the text of a config. Read by `console.words.tables`."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _l

from console.lib.texts import Sentence, Template


def _with_near(plain: Template, hinted: Template) -> Sentence:
    """Return a sentence with a hint where a known word is near."""
    return lambda params: (hinted if params["near"] else plain).format_map(params)


SHAPE: dict[str, Sentence] = {
    "config.more_like_these": _l("... and {more:,} more like these, down to line {line:,}."),
    "config.no_collector": _l(
        "This is not a collector configuration, so only its syntax was checked."
    ),
    "config.no_such_value": _with_near(
        _l("{key} is {read}; a collector knows {known}."),
        _l("{key} is {read}; did you mean {near}? A collector knows {known}."),
    ),
    "config.no_section": _with_near(
        _l("{read} is not a section of a collector config."),
        _l("{read} is not a section of a collector config; did you mean {near}?"),
    ),
    "config.empty_section": _l(
        "{section} is empty. A supervisor keeps the empty section over every later config and "
        "refuses them all, the way back too; take the line out."
    ),
    "config.no_mapping": _l("{key} is {read}; a mapping goes here."),
    "config.none_of": _l("There are no {section}; a collector starts only with one at least."),
    "config.bad_component": _l("{read} cannot name a {kind}; write type or type/name."),
    "config.odd_name": _l(
        "{kind} {name} has a blank or a symbol in its name; newer collectors (0.149) refuse that."
    ),
    "config.defined_twice": _l("{kind} {name} is defined twice, with other blanks."),
    "config.bad_settings": _l("{kind} {name} is {read}; its settings go here, or nothing."),
    "config.no_service_key": _with_near(
        _l("{read} is not a key of service."),
        _l("{read} is not a key of service; did you mean {near}?"),
    ),
    "config.no_pipelines": _l(
        "There are no pipelines in service; a collector runs nothing and does not start."
    ),
    "config.extensions_no_list": _l("service.extensions is not a list."),
    "config.comes_from": _l("{key} comes from {read}; what that is, only the agent knows."),
    "config.names": _l("{key} names {read}; what that is, only the agent knows."),
    "config.level_none": _l("{key}: level none ends the metrics that agents report of themselves."),
    "config.own_readers": _l(
        "{key}: these readers replace the one that a supervisor adds: "
        "agents report no metrics of themselves to Tidegate any more."
    ),
}

PIPELINES: dict[str, Sentence] = {
    "config.no_pipeline": _l("{read} is not a pipeline; it starts with {signals}."),
    "config.profiles_pipeline": _l(
        "pipeline {name} runs only where service.profilesSupport is on."
    ),
    "config.bad_pipeline": _l("pipeline {name} is {read}; receivers and exporters go here."),
    "config.no_pipeline_key": _with_near(
        _l("{read} is not a key of a pipeline."),
        _l("{read} is not a key of a pipeline; did you mean {near}?"),
    ),
    "config.no_list_of_names": _l("{key} of pipeline {pipeline} is not a list of names."),
    "config.pipeline_without": _l("pipeline {pipeline} has no {role}; it needs at least one."),
    "config.named_twice": _l("{name} is named twice in {role} of pipeline {pipeline}."),
    "config.no_extension": _with_near(
        _l("service.extensions names {name}, which is not defined."),
        _l("service.extensions names {name}, which is not defined; did you mean {near}?"),
    ),
    "config.bare_variable": _l(
        "{read} is not resolved by newer collectors (0.149); write ${{env:{name}}}."
    ),
    "config.undefined_but_in": _l(
        "pipeline {pipeline} uses {kind} {name}, which is not defined; "
        "{name} is one of the {section}."
    ),
    "config.undefined": _with_near(
        _l("pipeline {pipeline} uses {kind} {name}, which is not defined."),
        _l("pipeline {pipeline} uses {kind} {name}, which is not defined; did you mean {near}?"),
    ),
    "config.one_ended": _l(
        "connector {name} is among the {has} of a pipeline, but of none among the {lacks}; "
        "a connector joins two pipelines."
    ),
    "config.unused": _l("{kind} {name} is defined but not used."),
    "config.not_in_the_build": _l("{kind} {name} is not in the build that agents report."),
    "config.not_in_builds": _l(
        "{kind} {name} is not in {builds} of {of} builds that agents report."
    ),
}

PASSED: dict[str, Sentence] = {
    "config.ok_sections": _l("All sections are known."),
    "config.ok_values": _l("Every well-known setting has a value that collectors know."),
    "config.ok_components": _l("All components are well formed."),
    "config.ok_service": _l("The service section is well formed."),
    "config.ok_pipelines": _l("Every pipeline has receivers and exporters."),
    "config.ok_references": _l("Everything that pipelines use is defined."),
    "config.ok_connectors": _l("Every connector joins two pipelines."),
    "config.ok_provided": _l("All of its structure is written out here."),
    "config.ok_unused": _l("Everything that is defined is used."),
    "config.ok_telemetry": _l("Agents go on reporting metrics of their own."),
    "config.ok_secrets": _l("No secret stands in the text."),
    "config.ok_available": _l("Every component is in the builds that agents report."),
}

SECRETS: dict[str, Sentence] = {
    "config.holds_secret": _l(
        "{key} holds {what}; take it from the agent instead, as ${{env:NAME}} or ${{file:PATH}}."
    ),
    "secret.literal": _l("a literal secret"),
    "secret.private_key": _l("a private key"),
    "secret.aws": _l("an AWS access key"),
    "secret.github": _l("a GitHub token"),
    "secret.gitlab": _l("a GitLab token"),
    "secret.slack": _l("a Slack token"),
    "secret.own": _l("a token of Tidegate"),
    "secret.jwt": _l("a JSON web token"),
    "secret.header": _l("an authorization header"),
    "secret.in_url": _l("a password in a URL"),
    "secret.in_connection": _l("a secret in a connection string"),
    "secret.password_in_connection": _l("a password in a connection string"),
}
