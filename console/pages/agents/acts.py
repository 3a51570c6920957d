"""What people do to one agent: who may, what the form asks, what it says, and what happens."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _

from accounts.actor import Actor
from agents.actions.command import ask_full_state, rename, restart, send_custom_message
from agents.actions.label import set_labels
from agents.actions.offer_settings import offer_settings
from agents.actions.quarantine import quarantine
from agents.actions.retire import retire
from agents.actions.settings_form import read_settings
from agents.actions.take_over import take_over
from agents.models import Agent, Quarantine
from agents.opamp import bits
from agents.opamp.settings import TAKEN_BY
from console.lib.fields import documents_of, in_document
from console.lib.problems import FieldError, Invalid, Refused
from console.words.plain import plain

Typed = Mapping[str, str]
SETTINGS_EXAMPLE = """\
own_metrics:
  destination_endpoint: https://otlp.example.com/v1/metrics
  headers:
    Authorization: Bearer …"""


@dataclass(frozen=True, slots=True)
class Field:
    """One thing a form asks for. With `rows` it is a text area, with `choices` a list."""

    name: str
    label: str
    rows: int = 0
    choices: tuple[str, ...] = ()
    placeholder: str = ""
    value: str = ""


@dataclass(frozen=True, slots=True)
class AgentAct:
    """One act. `run` gets what was typed, and the reason; `why_not` says what the agent lacks."""

    verb: str
    entry: str
    title: str
    say: str
    button: str
    icon: str
    done: str
    run: Callable[[Actor, Agent, Typed, str], None]
    fields: Callable[[Agent], tuple[Field, ...]] = lambda _agent: ()
    why_not: Callable[[Agent], str] = lambda _agent: ""
    reason_required: bool = True


def _label(by: Actor, agent: Agent, typed: Typed, reason: str) -> None:
    wanted: dict[str, str] = {}
    for number, line in enumerate(typed["labels"].splitlines(), 1):
        if not line.strip():
            continue
        key, equals, value = line.partition("=")
        if not equals or not key.strip():
            text = _("Line %(n)d has no “=”; write env=prod.") % {"n": number}
            raise Invalid(text, errors=[FieldError("labels", text)])
        wanted[key.strip()] = value.strip()
    gone = [key for key in agent.operator_labels if key not in wanted]
    set_labels(agent_id=agent.pk, by=by, set=wanted, remove=gone, reason=reason)


def _label_fields(agent: Agent) -> tuple[Field, ...]:
    lines = [f"{plain(key)}={plain(value)}" for key, value in agent.operator_labels.items()]
    return (Field("labels", _("Labels"), rows=6, value="\n".join(lines)),)


def _restart(by: Actor, agent: Agent, _typed: Typed, reason: str) -> None:
    restart(agent_ids=[agent.pk], by=by, reason=reason)


def _why_no_restart(agent: Agent) -> str:
    if agent.has_capability(bits.ACCEPTS_RESTART_COMMAND):
        return ""
    return _("It does not accept restart commands (AcceptsRestartCommand is missing).")


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


def acts() -> dict[str, AgentAct]:
    """Return the acts; built when asked, so that their words are in the reader's language."""
    return {
        "label": AgentAct(
            "agents.label",
            _("Set labels"),
            _("Labels of %(name)s"),
            _("One label a line, key=value. They win over what the agent reports; a line taken away shows the reported value again."),
            _("Save labels"),
            "check",
            _("Labels saved."),
            _label,
            _label_fields,
            reason_required=False,
        ),
        "restart": AgentAct(
            "agents.restart",
            _("Restart agent"),
            _("Restart %(name)s"),
            _("The agent is told to restart its collector. What it runs stays the same."),
            _("Restart agent"),
            "retry",
            _("The agent is told to restart."),
            _restart,
            why_not=_why_no_restart,
        ),
        "report": AgentAct(
            "agents.settings",
            _("Ask for a full report"),
            _("Ask %(name)s for a full report"),
            _("The agent is asked to say everything once more: description, health, effective config. Nothing it runs changes."),
            _("Ask for a report"),
            "retry",
            _("The agent is asked for a full report."),
            _report,
            reason_required=False,
        ),
        "settings": AgentAct(
            "agents.settings",
            _("Offer connection settings"),
            _("Connection settings of %(name)s"),
            _("Where the agent sends its own metrics, traces and logs, and how it reaches this server. Own metrics that are not named go to this server; own traces and logs that are not named are switched off. Most agents restart their collector to take them."),
            _("Offer settings"),
            "link",
            _("The settings are offered; the agent's answer is shown under Connection."),
            _settings,
            _settings_fields,
            _why_no_settings,
        ),
        "message": AgentAct(
            "agents.settings",
            _("Send a custom message"),
            _("Custom message to %(name)s"),
            _("Sent once, within ten minutes or not at all."),
            _("Send message"),
            "arrow-right",
            _("The message is on its way."),
            _message,
            _message_fields,
            _why_no_message,
        ),
        "rename": AgentAct(
            "agents.settings",
            _("Give a new id"),
            _("Give %(name)s a new id"),
            _("The agent is told to use a new instance_uid. Its history, labels and config stay with it, and the old id leads to it for good."),
            _("Give a new id"),
            "person",
            _("The agent is told to take a new id."),
            _rename,
        ),
        "take-over": AgentAct(
            "agents.retire",
            _("Take over from its predecessor"),
            _("Let %(name)s go on as the one it replaces"),
            _("Labels that operators gave to the former agent of this host go over, what people keep from it too, and its history is shown here. The former agent is retired."),
            _("Take over"),
            "person",
            _("Taken over: labels and history are here now."),
            _take_over,
            why_not=_why_not_take_over,
        ),
        "retire": AgentAct(
            "agents.retire",
            _("Retire"),
            _("Retire %(name)s"),
            _("It leaves lists, counts and rollouts. Its history stays, and if it connects again it is back by itself."),
            _("Retire agent"),
            "stop",
            _("Retired. Its page and history stay."),
            _retire,
            why_not=_why_not_retire,
        ),
        "quarantine": AgentAct(
            "quarantine.add",
            _("Quarantine config"),
            _("Keep the assigned config from %(name)s"),
            _("The config it is assigned now is not offered to it again until someone lifts that. It keeps what it runs."),
            _("Quarantine"),
            "lock",
            _("The config is kept from this agent."),
            _quarantine,
        ),
    }  # fmt: skip
