"""What operators do to one agent: labels, restart, connection settings, and what is said once."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from agents.actions.command import ask_full_state, rename, restart, send_custom_message
from agents.actions.label import set_labels
from agents.actions.offer_settings import offer_settings
from agents.actions.retry_config import retry_config
from agents.actions.settings_form import read_settings
from agents.models import Agent, AgentStatus, ConfigStatus
from agents.opamp.settings import TAKEN_BY
from console.api import params
from console.api.agents.views import agent_of
from console.api.described import described
from console.api.idempotency import once
from console.api.shapes import agents as shapes
from console.api.shapes.answer import Answer
from console.api.views import ApiView
from console.lib.fields import in_data
from console.lib.problems import Refused
from console.lib.yaml import Path


class Labels(ApiView):
    verbs = {"GET": "agents.view", "PATCH": "agents.label"}

    @extend_schema(operation_id="agents_labels", responses=shapes.Labels)
    def get(self, request: Request, uid: str) -> Answer[shapes.Labels]:
        """The labels that selectors see, and which of them operators set (those win)."""
        return Answer(_labels(agent_of(self, uid).get()))

    @extend_schema(
        operation_id="agents_label",
        parameters=[params.IDEMPOTENCY_KEY],
        request=shapes.LabelsBody,
        responses=shapes.Labels,
    )
    @once
    def patch(self, request: Request, uid: str) -> Answer[shapes.Labels]:
        """Set and remove operators' labels. A removed label shows again what the agent reports."""
        agent = agent_of(self, uid).get()
        body = self.read(shapes.LabelsBody)
        set_labels(
            agent_id=agent.pk,
            set=body.get("set", {}),
            remove=body.get("remove", []),
            by=self.actor,
            reason=body.get("reason", ""),
        )
        agent.refresh_from_db()
        return Answer(_labels(agent))


Carried = Answer[shapes.Asked] | Answer[shapes.Renamed] | Answer[shapes.Offered]


class AskedAct(ApiView):
    """One act on an agent that takes a reason and nothing else; its gateway carries it out."""

    act: ClassVar[Callable[..., object]]

    @once
    def post(self, request: Request, uid: str) -> Carried:
        agent = agent_of(self, uid).get()
        reason = self.read(shapes.ReasonBody).get("reason", "")
        return self.answer(agent, type(self).act(agent.pk, by=self.actor, reason=reason))

    def answer(self, agent: Agent, done: object) -> Carried:
        """Say that the gateway was asked."""
        return _asked(agent)


@described("agents_restart", shapes.ReasonBody, {202: shapes.Asked})
class Restart(AskedAct):
    """Ask the agent to restart. 202: the command is queued for its gateway."""

    verbs = {"POST": "agents.restart"}
    act = staticmethod(lambda pk, **given: restart(agent_ids=[pk], **given))


@described("agents_retry_config", shapes.ReasonBody, {202: shapes.Offered})
class RetryConfig(AskedAct):
    """Offer the config that it is assigned and refused once more. 202: its gateway sends it.
    409 when it runs it, or when people or a rollback keep it from the agent."""

    verbs = {"POST": "agents.retry_config"}
    act = staticmethod(lambda pk, **given: retry_config(agent_id=pk, **given))

    def answer(self, agent: Agent, done: object) -> Answer[shapes.Offered]:
        """Answer what is offered."""
        return Answer({"id": str(agent.instance_uid), "config_hash": str(done)}, status=202)


@described("agents_full_state", shapes.ReasonBody, {202: shapes.Asked})
class FullState(AskedAct):
    """Ask the agent to report everything once more. 202: queued for its gateway."""

    verbs = {"POST": "agents.settings"}
    act = staticmethod(lambda pk, **given: ask_full_state(agent_ids=[pk], **given))


@described("agents_rename", shapes.ReasonBody, {202: shapes.Renamed})
class Rename(AskedAct):
    """Order the agent to use a new id, which is answered; the old one stays an alias."""

    verbs = {"POST": "agents.settings"}
    act = staticmethod(lambda pk, **given: rename(agent_id=pk, **given))

    def answer(self, agent: Agent, done: object) -> Answer[shapes.Renamed]:
        """Answer the new id."""
        return Answer({"id": str(agent.instance_uid), "new_id": str(done)}, status=202)


class CustomMessage(ApiView):
    verbs = {"POST": "agents.settings"}

    @extend_schema(
        operation_id="agents_custom_message",
        parameters=[params.IDEMPOTENCY_KEY],
        request=shapes.CustomMessageBody,
        responses={202: shapes.Asked},
    )
    @once
    def post(self, request: Request, uid: str) -> Answer[shapes.Asked]:
        """Send a custom message to an agent that announced the capability. 202: queued."""
        agent = agent_of(self, uid).get()
        body = self.read(shapes.CustomMessageBody)
        send_custom_message(
            agent_ids=[agent.pk],
            capability=body["capability"],
            type=body["type"],
            data=body["content"].encode(),
            by=self.actor,
            reason=body.get("reason", ""),
        )
        return _asked(agent)


class ConnectionSettings(ApiView):
    verbs = {"GET": "agents.view", "POST": "agents.settings"}

    @extend_schema(operation_id="agents_settings", responses=shapes.ConnectionSettings)
    def get(self, request: Request, uid: str) -> Answer[shapes.ConnectionSettings]:
        """The agent's own offer and its word about it. Values are not given back: they may be secret."""
        found = agent_of(self, uid).select_related("status", "desired_settings")
        return Answer(_settings(found.get()))

    @extend_schema(
        operation_id="agents_offer_settings",
        parameters=[params.IDEMPOTENCY_KEY],
        request=shapes.SettingsBody,
        responses={202: shapes.ConnectionSettings},
    )
    @once
    def post(self, request: Request, uid: str) -> Answer[shapes.ConnectionSettings]:
        """Offer connection settings, complete per kind. 409 when the agent takes no such kind."""
        agent = agent_of(self, uid).get()
        body = self.read(shapes.SettingsBody)
        wanted = read_settings(body["settings"], _in_settings)
        if not any(agent.has_capability(TAKEN_BY[kind]) for kind in wanted):
            raise Refused("settings.none_accepted", kinds=tuple(wanted))
        offer_settings(
            agent_ids=[agent.pk], settings=wanted, by=self.actor, reason=body.get("reason", "")
        )
        found = agent_of(self, uid).select_related("status", "desired_settings")
        return Answer(_settings(found.get()), status=202)


def _in_settings(path: Path, is_key: bool) -> str:
    return in_data(("settings", *path), is_key)


def _asked(agent: Agent) -> Answer[shapes.Asked]:
    return Answer({"id": str(agent.instance_uid), "asked": True}, status=202)


def _settings(agent: Agent) -> shapes.ConnectionSettings:
    wanted = getattr(agent, "desired_settings", None)
    status = getattr(agent, "status", None) or AgentStatus(agent=agent)
    said = status.settings_status
    return {
        "id": str(agent.instance_uid),
        "kinds": sorted(wanted.settings) if wanted else [],
        "offered_by": wanted.by if wanted else "",
        "offered_at": wanted.at if wanted else None,
        "sent_at": status.settings_offered_at,
        "sent_hash": status.settings_offered_hash,
        "reported_hash": status.settings_hash,
        "settings_status": None if said is None else ConfigStatus(said).name.lower(),
        "error": status.settings_error,
    }


def _labels(agent: Agent) -> shapes.Labels:
    return {
        "id": str(agent.instance_uid),
        "labels": agent.labels,
        "operator_labels": agent.operator_labels,
    }
