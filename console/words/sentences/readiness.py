"""What preflight and a preview say of agents, config and plan. Read by `console.words.tables`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from django.utils.translation import ngettext

from console.lib.texts import Sentence

Params = Mapping[str, Any]

OUTCOMES = {
    "failed": _l("failed"),
    "timed_out": _l("timed out"),
    "fell_back": _l("fell back by itself"),
    "rolled_back": _l("rolled back"),
    "by_hand": _l("set by a person"),
}


def _quarantine(params: Params) -> str:
    outcome = OUTCOMES[params["outcome"]]
    cause = f", {params['cause']}" if params["cause"] else ""
    return _(
        "{version} is quarantined for the whole fleet ({outcome}{cause}); an approver can lift it "
        "with a reason."
    ).format_map({**params, "outcome": outcome, "cause": cause})


def _config_rule(params: Params) -> str:
    found = f"{params['version']}: {params['what']}"
    if not params["gates"]:
        return found
    return f"{found} " + _("Gates that may lose their data: {gates}.").format_map(params)


def _components(params: Params) -> str:
    names = _("{names} and more").format_map(params) if params["more"] else params["names"]
    return ngettext(
        "{agents:,} agent reports no {names}; it would refuse {version}.",
        "{agents:,} agents report no {names}; they would refuse {version}.",
        params["agents"],
    ).format_map({**params, "names": names})


def _components_unknown(params: Params) -> str:
    return ngettext(
        "{agents:,} agent does not report its components.",
        "{agents:,} agents do not report their components.",
        params["agents"],
    ).format_map(params)


def _previous_version(params: Params) -> str:
    return ngettext(
        "{agents:,} agent has no known-good version: it runs no remote config, and {config} has no "
        "completed version. A rollback leaves it alone.",
        "{agents:,} agents have no known-good version: they run no remote config, and {config} has "
        "no completed version. A rollback leaves them alone.",
        params["agents"],
    ).format_map(params)


def _gives(params: Params) -> str:
    """Return what a rollback does for agents that cannot go back to what they run."""
    if not params["back"]:
        return ngettext("leaves it alone", "leaves them alone", params["agents"])
    return ngettext("gives it {back}", "gives them {back}", params["agents"]).format_map(params)


def _previous_version_lost(params: Params) -> str:
    return ngettext(
        "{agents:,} agent runs a version that is not stored here or is quarantined; a rollback "
        "{gives}.",
        "{agents:,} agents run a version that is not stored here or is quarantined; a rollback "
        "{gives}.",
        params["agents"],
    ).format_map({**params, "gives": _gives(params)})


def _previous_version_kept(params: Params) -> str:
    return ngettext(
        "{agents:,} agent runs a version that is quarantined for itself; a rollback {gives}.",
        "{agents:,} agents run a version that is quarantined for themselves; a rollback {gives}.",
        params["agents"],
    ).format_map({**params, "gives": _gives(params)})


def _offline(params: Params) -> str:
    return ngettext(
        "{agents:,} agent is offline; it gets it on return.",
        "{agents:,} agents are offline; they get it on return.",
        params["agents"],
    ).format_map(params)


def _health(params: Params) -> str:
    return ngettext(
        "{agents:,} agent is unhealthy already; that is not held against this rollout.",
        "{agents:,} agents are unhealthy already; that is not held against this rollout.",
        params["agents"],
    ).format_map(params)


def _reports(params: Params) -> str:
    return ngettext(
        "{agents:,} agent does not report config status; it counts as timed out unless its "
        "effective config shows the version.",
        "{agents:,} agents do not report config status; they count as timed out unless their "
        "effective config shows the version.",
        params["agents"],
    ).format_map(params)


def _not_watched(params: Params) -> str:
    reason = str(params["reason"]).rstrip(".")
    return _("{guard} is not watched: {reason}.").format_map({**params, "reason": reason})


def _covers(params: Params) -> str:
    found = _("{phase} covers {covered} of {kinds} kinds of {label}").format_map(params)
    if not params["missing"]:
        return f"{found}."
    more = _(" and {more:,} more").format_map(params) if params["more"] else ""
    missing = _("not covered: {missing}{more}").format_map({**params, "more": more})
    return f"{found}; {missing}."


FINDINGS: dict[str, Sentence] = {
    "finding.all_pass": _l("Every check passes."),
    "finding.quarantine": _quarantine,
    "finding.nobody_matches": _l("No agent matches the selector."),
    "finding.nobody_eligible": _l("No agent is eligible; see why each is left out."),
    "finding.config_cannot_run": _l("{version} cannot be run: {what}"),
    "finding.config_rule": _config_rule,
    "finding.config_more": _l("And {more:,} more."),
    "finding.components": _components,
    "finding.components_unknown": _components_unknown,
    "finding.previous_version": _previous_version,
    "finding.previous_version_lost": _previous_version_lost,
    "finding.previous_version_kept": _previous_version_kept,
    "finding.offline": _offline,
    "finding.health": _health,
    "finding.reports": _reports,
    "finding.rollback_off": _l("Rollback is off: a failed gate pauses the rollout."),
    "finding.empty_phases": _l("0 agents in {phases}: passes at once."),
    "finding.not_watched": _not_watched,
    "finding.nobody_answers": _l(
        "{names}: nothing can answer this, because PROMETHEUS_URL is not set. Phases hold."
    ),
    "accept.say_why": _l("Say why {name} is accepted, in at most {most} characters."),
    "accept.mend_it": _l("{name} cannot be accepted: mend it."),
    "accept.not_found": _l('Preflight found nothing called "{name}" that can be accepted.'),
    "accept.not_found_but": _l(
        'Preflight found nothing called "{name}" that can be accepted; what can be is {known}.'
    ),
}

PREVIEW: dict[str, Sentence] = {
    "excluded.cannot_accept": _l("cannot accept remote config"),
    "excluded.wedged": _l(
        "refuses every config: remove the stored config on its host and restart it"
    ),
    "excluded.quarantined": _l("quarantined for this version"),
    "excluded.already": _l("already on it"),
    "excluded.busy": _l("in another active rollout"),
    "excluded.offline": _l("offline longer than the plan allows"),
    "excluded.not_failed": _l("did not fail before"),
    "excluded.away": _l("away, and this plan leaves a part of the fleet as it is"),
    "excluded.waits": _l("away: the last wave gives it to them when they are back"),
    "preview.covers": _covers,
    "preview.no_value": _l("(none)"),
}
