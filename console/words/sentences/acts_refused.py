"""Why an act of a person was not done: roles, people, agents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l

from console.lib.texts import Sentence
from console.words.times import exact_span


def _none_accepted(params: Mapping[str, Any]) -> str:
    kinds = _(" or ").join(str(params["kinds"]).split(", "))
    return _("This agent accepts no {kinds} settings.").format_map({"kinds": kinds})


def _not_seen(params: Mapping[str, Any]) -> str:
    seconds = params.get("seconds")
    span = params["span"] if seconds is None else exact_span(float(seconds))  # kept as text before
    return _("not seen for {span}").format_map({"span": span})


POLICY: dict[str, Sentence] = {
    "policy.token_cannot": _l("An API token cannot do this; sign in and decide yourself."),
    "policy.needs_role": _l("Needs the role {needed}. Ask an administrator."),
    "policy.person_must": _l("A person must decide this."),
    "policy.four_eyes": _l(
        "You wrote or started this, so someone else must approve it (four eyes)."
    ),
    "people.no_user": _l("There is no user {username}."),
    "tokens.bad_life": _l("A token lives from 1 to {most} days."),
    "tokens.none_begins": _l("No token begins with {shown}."),
    "tokens.missing": _l("There is no such token."),
    "reason.wanted": _l("Say why, in at most {most} characters."),
}

AGENTS: dict[str, Sentence] = {
    "agent.missing": _l("There is no such agent."),
    "command.no_restart": _l("None of these agents accepts a restart command."),
    "command.too_large": _l("The data of a custom message is at most 1 MiB."),
    "command.no_capability": _l(
        "None of these agents announced the custom capability {capability}."
    ),
    "labels.too_many": _l("An agent has at most {most} labels of its operators."),
    "labels.is_a_field": _l(
        "{key} is a field of every agent in selectors, so a label of that name could not be asked; "
        "choose another key."
    ),
    "labels.bad_key": _l("A key has 1 to 256 characters."),
    "labels.bad_value": _l("A value is text of up to 4,096 characters."),
    "labels.unusable": _l("These labels cannot be used."),
    "trust.no_authority": _l(
        "{subject} is no CA: it does not say CA:TRUE, so nothing that it signed could be verified. "
        "Make it with the extension basicConstraints=critical,CA:TRUE."
    ),
    "trust.unreadable": _l("This is no certificate in PEM: {why}."),
    "trust.bad_rule": _l("The identity rule is no regular expression: {why}."),
    "trust.rule_groups": _l(
        "An identity rule has a group named uid or name, as in "
        "spiffe://example/agent/(?P<uid>.+), and at most {most} characters."
    ),
    "trust.missing_authority": _l("There is no such authority."),
    "trust.missing_certificate": _l("There is no such certificate."),
    "trust.of_another": _l("The certificate {fingerprint} belongs to another agent already."),
    "quarantine.say_why": _l("Say why the hash may be offered again."),
    "quarantine.nothing_to_lift": _l("Nothing of this is quarantined any more."),
    "quarantine.missing": _l("There is no such quarantine."),
    "quarantine.fell_back": _l("fell back to {to} by itself"),
    "quarantine.runs_after_all": _l("it was seen running this after all, and was not unhealthy"),
    "quarantine.lifted_already": _l("{by} has lifted this quarantine already."),
    "retire.by_rule": _l("rule {name}"),
    "retire.not_seen": _not_seen,
    "retire.already": _l("{by} has retired this agent already."),
    "retire.connected": _l("This agent is connected: it would be back at once."),
    "retire.other_count": _l(
        "{count:,} agents would be retired now, you saw {seen:,}. Look again. Nothing was done."
    ),
    "retirement_rule.missing": _l('There is no retirement rule named "{name}".'),
    "retirement_rule.stands_alone": _l(
        "A rule stands alone: write the labels themselves instead of a saved selector."
    ),
    "retirement_rule.bad_name": _l("Name the rule, in at most 100 characters."),
    "retirement_rule.bad_time": _l("Give a time from 10m to 3650d, e.g. 30d."),
    "retry_config.nothing_assigned": _l("It is assigned no config."),
    "retry_config.cannot_accept": _l(
        "It does not accept remote configuration (AcceptsRemoteConfig is missing)."
    ),
    "retry_config.runs_it": _l("It runs the config that it is assigned."),
    "retry_config.kept": _l("The config it is assigned is quarantined; lift that first."),
    "retry_config.lifts": _l("a person had it offered again"),
    "successor.both_connected": _l("{name} is connected: two agents, not one set up anew."),
    "successor.too_many_labels": _l("Together they have more than {most} labels of operators."),
    "successor.of_none": _l("This agent replaces no other that we know of."),
    "successor.replaced_by": _l("replaced by {uid}"),
    "successor.done_already": _l("It has taken over from the one it replaces already."),
}

SETTINGS: dict[str, Sentence] = {
    "settings.certificate_needed": _l(
        "{name} is a supervisor: an offer without a certificate would switch off its "
        "verification of the server. Add the certificate."
    ),
    "settings.none_accepted": _none_accepted,
    "settings.nothing": _l("nothing is offered; name one or more of {classes}"),
    "settings.no_endpoint": _l("destination_endpoint is empty; write a ws or wss URL"),
    "settings.no_heartbeat": _l("0 would end heartbeats; write 1 or more"),
    "settings.never_insecure": _l("insecure_skip_verify is never offered"),
    "settings.bad_url": _l("{read} is no such URL; it begins with {right}"),
    "settings.no_texts": _l("{read} is not a list of texts"),
}
