"""What people do to one agent: who may, what the form asks, what it says, and what happens."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.forms import Field as FormField
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.actor import Actor
from agents.actions.command import ask_full_state, rename, restart, send_custom_message
from agents.actions.label import set_labels
from agents.actions.offer_settings import offer_settings
from agents.actions.quarantine import quarantine
from agents.actions.retire import retire
from agents.actions.retry_config import retry_config, why_not_retry
from agents.actions.settings_form import read_settings
from agents.actions.take_over import take_over
from agents.models import Agent, Quarantine
from agents.opamp import bits
from agents.opamp.settings import TAKEN_BY
from console.lib.fields import documents_of, in_document
from console.lib.problems import FieldError, Invalid, Refused
from console.lib.texts import said
from console.pages.frame.forms import LongText
from console.words.plain import plain

Typed = Mapping[str, Any]
RETRY = "retry"  # the act that an agent whose config failed needs
SETTINGS_EXAMPLE = """\
own_metrics:
  destination_endpoint: https://otlp.example.com/v1/metrics
  headers:
    Authorization: Bearer …"""


@dataclass(frozen=True, slots=True)
class Field:
    """One thing a form asks for. With `rows` it is a text area, with `choices` a list; `reads` is
    the form field that reads it."""

    name: str
    label: str
    rows: int = 0
    choices: tuple[str, ...] = ()
    placeholder: str = ""
    value: str = ""
    reads: Callable[..., FormField] = LongText


class Labels(LongText):
    """Labels, one a line as key=value (dict of texts)."""

    def clean(self, value: Any) -> dict[str, str]:
        found: dict[str, str] = {}
        for number, line in enumerate(super().clean(value).splitlines(), 1):
            if not line.strip():
                continue
            key, equals, given = line.partition("=")
            if not equals or not key.strip():
                text = _("Line %(n)d has no “=”; write env=prod.") % {"n": number}
                raise ValidationError(text)
            found[key.strip()] = given.strip()
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentAct:
    """One act. `run` gets what was typed, and the reason; `why_not` says what the agent lacks."""

    verb: str
    entry: str | Promise
    title: str | Promise
    say: str | Promise
    button: str | Promise
    icon: str
    done: str | Promise
    run: Callable[[Actor, Agent, Typed, str], None]
    fields: Callable[[Agent], tuple[Field, ...]] = lambda _agent: ()
    why_not: Callable[[Agent], str] = lambda _agent: ""
    reason_required: bool = True


def _label(by: Actor, agent: Agent, typed: Typed, reason: str) -> None:
    wanted = typed["labels"]
    gone = [key for key in agent.operator_labels if key not in wanted]
    set_labels(agent_id=agent.pk, by=by, set=wanted, remove=gone, reason=reason)


def _label_fields(agent: Agent) -> tuple[Field, ...]:
    lines = [f"{plain(key)}={plain(value)}" for key, value in agent.operator_labels.items()]
    return (Field("labels", _("Labels"), rows=6, value="\n".join(lines), reads=Labels),)


def _restart(by: Actor, agent: Agent, _typed: Typed, reason: str) -> None:
    restart(agent_ids=[agent.pk], by=by, reason=reason)


def _why_no_restart(agent: Agent) -> str:
    if agent.has_capability(bits.ACCEPTS_RESTART_COMMAND):
        return ""
    return _("It does not accept restart commands (AcceptsRestartCommand is missing).")


def _retry(by: Actor, agent: Agent, _typed: Typed, reason: str) -> None:
    retry_config(agent_id=agent.pk, by=by, reason=reason)


def _why_no_retry(agent: Agent) -> str:
    problem = why_not_retry(agent)
    return said(problem) if problem is not None else ""


def _quarantine(by: Actor, agent: Agent, _typed: Typed, reason: str) -> None:
    desired = getattr(agent, "desired", None)
    if desired is None:
        raise Refused(_("This agent is assigned no config that could be kept from it."))
    quarantine(
        config_hash=desired.config_hash,
        agent_ids=[agent.pk],
        outcome=Quarantine.Outcome.BY_HAND,
        by=by,
        reason=reason,
    )


def _report(by: Actor, agent: Agent, _typed: Typed, reason: str) -> None:
    ask_full_state(agent_ids=[agent.pk], by=by, reason=reason)


def _settings(by: Actor, agent: Agent, typed: Typed, reason: str) -> None:
    file = _("settings")
    documents = documents_of(typed["settings"], file)
    if len(documents) != 1:
        text = _("Write the settings as one YAML document.")
        raise Invalid(text, errors=[FieldError("settings", text)])
    wanted = read_settings(documents[0].data, in_document(documents[0], file))
    offer_settings(agent_ids=[agent.pk], settings=wanted, by=by, reason=reason)


def _settings_fields(_agent: Agent) -> tuple[Field, ...]:
    # What was offered before is not shown again: it may hold credentials.
    label = _("Settings, as YAML with OpAMP's field names")
    return (Field("settings", label, rows=8, placeholder=SETTINGS_EXAMPLE),)


def _why_no_settings(agent: Agent) -> str:
    if any(agent.has_capability(taken_by) for taken_by in TAKEN_BY.values()):
        return ""
    return _("It accepts no connection settings of any kind.")


def _message(by: Actor, agent: Agent, typed: Typed, reason: str) -> None:
    send_custom_message(
        agent_ids=[agent.pk],
        capability=typed["capability"],
        type=typed["type"],
        data=typed["data"].encode(),
        by=by,
        reason=reason,
    )


def _message_fields(agent: Agent) -> tuple[Field, ...]:
    return (
        Field("capability", _("Capability"), choices=tuple(agent.custom_capabilities)),
        Field("type", _("Type")),
        Field("data", _("Data, as text"), rows=4),
    )


def _why_no_message(agent: Agent) -> str:
    return "" if agent.custom_capabilities else _("It announced no custom capability.")


def _rename(by: Actor, agent: Agent, _typed: Typed, reason: str) -> None:
    rename(agent_id=agent.pk, by=by, reason=reason)


def _retire(by: Actor, agent: Agent, _typed: Typed, reason: str) -> None:
    retire(agent_id=agent.pk, by=by, reason=reason)


def _why_not_retire(agent: Agent) -> str:
    if agent.retired_at is not None:
        return _("It is retired already.")
    status = getattr(agent, "status", None)
    return _("It is connected.") if status is not None and status.connected else ""


def _take_over(by: Actor, agent: Agent, _typed: Typed, reason: str) -> None:
    take_over(agent_id=agent.pk, by=by, reason=reason)


def _why_not_take_over(agent: Agent) -> str:
    if agent.replaces_id is None:
        return _("It replaces no other agent that we know of.")
    return _("It has taken over already.") if agent.took_over_at is not None else ""


ACTS: dict[str, AgentAct] = {
    RETRY: AgentAct(
        verb="agents.retry_config",
        entry=gettext_lazy("Retry config"),
        title=gettext_lazy("Retry the config of %(name)s"),
        say=gettext_lazy(
            "The config that it is assigned is offered to it once more, and that it refused it is "
            "forgotten. In a rollout it counts as applied as soon as it says that it runs it."
        ),
        button=gettext_lazy("Retry config"),
        icon="retry",
        done=gettext_lazy("The config is offered again."),
        run=_retry,
        why_not=_why_no_retry,
        reason_required=False,
    ),
    "label": AgentAct(
        verb="agents.label",
        entry=gettext_lazy("Set labels"),
        title=gettext_lazy("Labels of %(name)s"),
        say=gettext_lazy(
            "One label a line, key=value. They win over what the agent reports; a line taken "
            "away shows the reported value again."
        ),
        button=gettext_lazy("Save labels"),
        icon="check",
        done=gettext_lazy("Labels saved."),
        run=_label,
        fields=_label_fields,
        reason_required=False,
    ),
    "restart": AgentAct(
        verb="agents.restart",
        entry=gettext_lazy("Restart agent"),
        title=gettext_lazy("Restart %(name)s"),
        say=gettext_lazy(
            "The agent is told to restart its collector. What it runs stays the same."
        ),
        button=gettext_lazy("Restart agent"),
        icon="retry",
        done=gettext_lazy("The agent is told to restart."),
        run=_restart,
        why_not=_why_no_restart,
    ),
    "report": AgentAct(
        verb="agents.settings",
        entry=gettext_lazy("Ask for a full report"),
        title=gettext_lazy("Ask %(name)s for a full report"),
        say=gettext_lazy(
            "The agent is asked to say everything once more: description, health, effective "
            "config. Nothing it runs changes."
        ),
        button=gettext_lazy("Ask for a report"),
        icon="retry",
        done=gettext_lazy("The agent is asked for a full report."),
        run=_report,
        reason_required=False,
    ),
    "settings": AgentAct(
        verb="agents.settings",
        entry=gettext_lazy("Offer connection settings"),
        title=gettext_lazy("Connection settings of %(name)s"),
        say=gettext_lazy(
            "Where the agent sends its own metrics, traces and logs, and how it reaches this "
            "server. Own metrics that are not named go to this server; own traces and logs "
            "that are not named are switched off. Most agents restart their collector to take"
            " them."
        ),
        button=gettext_lazy("Offer settings"),
        icon="link",
        done=gettext_lazy(
            "The settings are offered; the agent's answer is shown under Connection."
        ),
        run=_settings,
        fields=_settings_fields,
        why_not=_why_no_settings,
    ),
    "message": AgentAct(
        verb="agents.settings",
        entry=gettext_lazy("Send a custom message"),
        title=gettext_lazy("Custom message to %(name)s"),
        say=gettext_lazy("Sent once, within ten minutes or not at all."),
        button=gettext_lazy("Send message"),
        icon="arrow-right",
        done=gettext_lazy("The message is on its way."),
        run=_message,
        fields=_message_fields,
        why_not=_why_no_message,
    ),
    "rename": AgentAct(
        verb="agents.settings",
        entry=gettext_lazy("Give a new id"),
        title=gettext_lazy("Give %(name)s a new id"),
        say=gettext_lazy(
            "The agent is told to use a new instance_uid. Its history, labels and config stay"
            " with it, and the old id leads to it for good."
        ),
        button=gettext_lazy("Give a new id"),
        icon="person",
        done=gettext_lazy("The agent is told to take a new id."),
        run=_rename,
    ),
    "take-over": AgentAct(
        verb="agents.retire",
        entry=gettext_lazy("Take over from its predecessor"),
        title=gettext_lazy("Let %(name)s go on as the one it replaces"),
        say=gettext_lazy(
            "Labels that operators gave to the former agent of this host go over, what people"
            " keep from it too, and its history is shown here. The former agent is retired."
        ),
        button=gettext_lazy("Take over"),
        icon="person",
        done=gettext_lazy("Taken over: labels and history are here now."),
        run=_take_over,
        why_not=_why_not_take_over,
    ),
    "retire": AgentAct(
        verb="agents.retire",
        entry=gettext_lazy("Retire"),
        title=gettext_lazy("Retire %(name)s"),
        say=gettext_lazy(
            "It leaves lists, counts and rollouts. Its history stays, and if it connects "
            "again it is back by itself."
        ),
        button=gettext_lazy("Retire agent"),
        icon="stop",
        done=gettext_lazy("Retired. Its page and history stay."),
        run=_retire,
        why_not=_why_not_retire,
    ),
    "quarantine": AgentAct(
        verb="quarantine.add",
        entry=gettext_lazy("Quarantine config"),
        title=gettext_lazy("Keep the assigned config from %(name)s"),
        say=gettext_lazy(
            "The config it is assigned now is not offered to it again until someone lifts "
            "that. It keeps what it runs."
        ),
        button=gettext_lazy("Quarantine"),
        icon="lock",
        done=gettext_lazy("The config is kept from this agent."),
        run=_quarantine,
    ),
}
