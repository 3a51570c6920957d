from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, TypedDict

from rest_framework import serializers

from agents.status_words import STATUS_WORDS
from console.api.shapes import words
from console.api.shapes.answer import HashText, OneOf, Uid, said
from console.api.shapes.base import Body, Reason, Text


class Agent(TypedDict):
    """One agent: who it is, and what it last said about itself."""

    id: Annotated[Uid, said("instance_uid")]
    name: str
    kind: Annotated[str, OneOf(words.AGENT_KINDS)]
    version: str
    labels: dict[str, str]
    status: Annotated[Annotated[str, OneOf(STATUS_WORDS)], said("one word, worst first")]
    connected: bool
    healthy: Annotated[bool | None, said("null: never reported")]
    health_error: str
    sick_component: Annotated[
        str, said('a component below it that is not well, as in "exporter otlp/eu: refused"')
    ]
    config_hash: Annotated[HashText, said("what it runs, by its own word; empty: nobody knows")]
    desired_config_hash: Annotated[HashText, said("what it should run")]
    config_status: Annotated[
        Annotated[str, OneOf(words.CONFIG_STATUSES)] | None,
        said("its word about reported_config_hash; null: never reported"),
    ]
    config_error: str
    reported_config_hash: Annotated[HashText, said("the last hash it was offered and spoke about")]
    transport: Annotated[str, said("ws, http or empty")]
    connected_at: datetime | None
    last_seen_at: datetime | None
    no_word_since: Annotated[
        datetime | None, said("it fell silent; null: it is connected, or said goodbye")
    ]
    refuses_everything_since: Annotated[
        HashText,
        said("the config since which it refuses all others; its stored config must be removed"),
    ]
    first_seen_at: datetime
    retired_at: Annotated[
        datetime | None, said("retired: in no list or count unless status=retired is asked")
    ]


class AgentList(TypedDict):
    agents: list[Agent]
    next: Annotated[str | None, said("`after` of the next page")]
    notes: Annotated[list[str], said("what may be wrong with the selector: labels nobody has")]


class Counted(TypedDict):
    value: str
    agents: int


class AgentFacets(TypedDict):
    """How many agents each value has, most first."""

    agents: int
    statuses: list[Counted]
    sick_components: Annotated[
        list[Counted], said("components called unhealthy, as a selector asks: exporter:otlp/eu")
    ]
    labels: Annotated[
        dict[str, list[Counted]], said("without labels that have more than 200 values")
    ]


class MoreOfAgent(TypedDict):
    operator_labels: dict[str, str]
    identifying: dict[str, Any]
    non_identifying: dict[str, Any]
    capabilities: list[str]
    components: Annotated[list[str], said('e.g. "processor:transform"')]
    quarantined_hashes: list[HashText]
    rollout: Annotated[int | None, said("the rollout it is in now")]
    rollout_state: Annotated[
        str | None, said("how it stands in that rollout, e.g. applied, fell_back, lost")
    ]
    rollout_error: Annotated[str, said('why, e.g. "fell back to v1 by itself"')]
    retired_by: str
    retired_why: str
    replaces: Annotated[Uid | None, said("whose host it runs on now")]
    replaced_by: Uid | None
    took_over_at: Annotated[
        datetime | None, said("since then it has labels and history of `replaces`")
    ]


class AgentDetail(Agent, MoreOfAgent):
    """An agent with what it can do and what holds it."""


class Delivery(TypedDict):
    """One offer of one hash, from offer to outcome."""

    id: int
    config_hash: HashText
    cause: Annotated[str, said('e.g. "rollout:42"')]
    state: Annotated[str, OneOf(words.DELIVERY_STATES)]
    offered_at: datetime
    sent_at: datetime | None
    acknowledged_at: datetime | None
    settled_at: datetime | None
    confirmed_by: Annotated[str, said('empty: its own status, else "effective config"')]
    error: str


class DeliveryList(TypedDict):
    deliveries: list[Delivery]
    next: str | None


class HistoryEvent(TypedDict):
    at: datetime
    kind: str
    details: dict[str, Any]


class HistoryList(TypedDict):
    events: list[HistoryEvent]
    next: str | None


class Reported(TypedDict):
    hash: str
    at: datetime
    body: Any


class Labels(TypedDict):
    id: Uid
    labels: dict[str, str]
    operator_labels: dict[str, str]


class LabelsBody(Body):
    set = serializers.DictField(child=Text(max_length=1000, allow_blank=True), required=False)
    remove = serializers.ListField(child=Text(max_length=200), required=False, max_length=200)
    reason = Reason()


class ReasonBody(Body):
    reason = Reason()


class Asked(TypedDict):
    """The gateway of the agent will say it, within ten minutes or not at all."""

    id: Uid
    asked: bool


class Offered(TypedDict):
    id: Uid
    config_hash: Annotated[HashText, said("the config that is offered once more")]


class Renamed(TypedDict):
    id: Annotated[Uid, said("the id it had when it was told")]
    new_id: Uid


class CustomMessageBody(Body):
    capability = Text(max_length=200, help_text="one the agent announced")
    type = Text(max_length=200, allow_blank=True, default="")
    content = Text(max_length=1024 * 1024, allow_blank=True, default="", help_text="sent as UTF-8")
    reason = Reason()


class SettingsBody(Body):
    settings = serializers.JSONField(
        help_text="per kind (opamp, own_metrics, own_traces, own_logs, other_connections) "
        "the connection with OpAMP's field names; headers as a mapping"
    )
    reason = Reason()


class ConnectionSettings(TypedDict):
    """What an agent of its own was offered; everyone's own-metrics offer is not listed."""

    id: Uid
    kinds: list[str]
    offered_by: str
    offered_at: datetime | None
    sent_at: Annotated[datetime | None, said("before offered_at: this offer waits for the agent")]
    sent_hash: Annotated[str, said("of what was sent last, everyone's included")]
    reported_hash: Annotated[str, said("of the offer the agent spoke about last")]
    settings_status: Annotated[
        Annotated[str, OneOf(words.CONFIG_STATUSES)] | None, said("its word about reported_hash")
    ]
    error: str
