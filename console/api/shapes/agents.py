from __future__ import annotations

from rest_framework import serializers

from agents.models.querysets import STATUS_WORDS
from console.api.shapes import words
from console.api.shapes.base import Body, Hash, Reason, Shape, Text


class Agent(Shape):
    """One agent: who it is, and what it last said about itself."""

    id = serializers.UUIDField(help_text="instance_uid")
    name = serializers.CharField()
    kind = serializers.ChoiceField(words.AGENT_KINDS)
    version = serializers.CharField()
    labels = serializers.DictField(child=serializers.CharField())
    status = serializers.ChoiceField(STATUS_WORDS, help_text="one word, worst first")
    connected = serializers.BooleanField()
    healthy = serializers.BooleanField(allow_null=True, help_text="null: never reported")
    health_error = serializers.CharField()
    sick_component = serializers.CharField(
        help_text='a component below it that is not well, as in "exporter otlp/eu: refused"'
    )
    config_hash = Hash(help_text="what it runs, by its own word; empty: nobody knows")
    desired_config_hash = Hash(help_text="what it should run")
    config_status = serializers.ChoiceField(
        words.CONFIG_STATUSES,
        allow_null=True,
        help_text="its word about reported_config_hash; null: never reported",
    )
    config_error = serializers.CharField()
    reported_config_hash = Hash(help_text="the last hash it was offered and spoke about")
    transport = serializers.CharField(help_text="ws, http or empty")
    connected_at = serializers.DateTimeField(allow_null=True)
    last_seen_at = serializers.DateTimeField(allow_null=True)
    no_word_since = serializers.DateTimeField(
        allow_null=True, help_text="it fell silent; null: it is connected, or said goodbye"
    )
    refuses_everything_since = Hash(
        help_text="the config since which it refuses all others; its stored config must be removed"
    )
    first_seen_at = serializers.DateTimeField()
    retired_at = serializers.DateTimeField(
        allow_null=True, help_text="retired: in no list or count unless status=retired is asked"
    )


class AgentList(Shape):
    agents = Agent(many=True)
    next = serializers.CharField(allow_null=True, help_text="`after` of the next page")


class AgentDetail(Agent):
    """An agent with what it can do and what holds it."""

    operator_labels = serializers.DictField(child=serializers.CharField())
    identifying = serializers.DictField()
    non_identifying = serializers.DictField()
    capabilities = serializers.ListField(child=serializers.CharField())
    components = serializers.ListField(
        child=serializers.CharField(), help_text='e.g. "processor:transform"'
    )
    quarantined_hashes = serializers.ListField(child=Hash())
    rollout = serializers.IntegerField(allow_null=True, help_text="the rollout it is in now")
    rollout_state = serializers.CharField(
        allow_null=True, help_text="how it stands in that rollout, e.g. applied, fell_back, lost"
    )
    rollout_error = serializers.CharField(help_text='why, e.g. "fell back to v1 by itself"')
    retired_by = serializers.CharField()
    retired_why = serializers.CharField()
    replaces = serializers.UUIDField(allow_null=True, help_text="whose host it runs on now")
    replaced_by = serializers.UUIDField(allow_null=True)
    took_over_at = serializers.DateTimeField(
        allow_null=True, help_text="since then it has labels and history of `replaces`"
    )


class Delivery(Shape):
    """One offer of one hash, from offer to outcome."""

    id = serializers.IntegerField()
    config_hash = Hash()
    cause = serializers.CharField(help_text='e.g. "rollout:42"')
    state = serializers.ChoiceField(words.DELIVERY_STATES)
    offered_at = serializers.DateTimeField()
    sent_at = serializers.DateTimeField(allow_null=True)
    acknowledged_at = serializers.DateTimeField(allow_null=True)
    settled_at = serializers.DateTimeField(allow_null=True)
    confirmed_by = serializers.CharField(help_text='empty: its own status, else "effective config"')
    error = serializers.CharField()


class DeliveryList(Shape):
    deliveries = Delivery(many=True)
    next = serializers.CharField(allow_null=True)


class HistoryEvent(Shape):
    at = serializers.DateTimeField()
    kind = serializers.CharField()
    details = serializers.DictField()


class HistoryList(Shape):
    events = HistoryEvent(many=True)
    next = serializers.CharField(allow_null=True)


class Reported(Shape):
    hash = serializers.CharField()
    at = serializers.DateTimeField()
    body = serializers.JSONField()


class Labels(Shape):
    id = serializers.UUIDField()
    labels = serializers.DictField(child=serializers.CharField())
    operator_labels = serializers.DictField(child=serializers.CharField())


class LabelsBody(Body):
    set = serializers.DictField(child=Text(max_length=1000, allow_blank=True), required=False)
    remove = serializers.ListField(child=Text(max_length=200), required=False, max_length=200)
    reason = Reason()


class ReasonBody(Body):
    reason = Reason()


class Asked(Shape):
    """The gateway of the agent will say it, within ten minutes or not at all."""

    id = serializers.UUIDField()
    asked = serializers.BooleanField()


class Renamed(Shape):
    id = serializers.UUIDField(help_text="the id it had when it was told")
    new_id = serializers.UUIDField()


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


class ConnectionSettings(Shape):
    """What an agent of its own was offered; everyone's own-metrics offer is not listed."""

    id = serializers.UUIDField()
    kinds = serializers.ListField(child=serializers.CharField())
    offered_by = serializers.CharField()
    offered_at = serializers.DateTimeField(allow_null=True)
    sent_at = serializers.DateTimeField(
        allow_null=True, help_text="before offered_at: this offer waits for the agent"
    )
    sent_hash = serializers.CharField(help_text="of what was sent last, everyone's included")
    reported_hash = serializers.CharField(help_text="of the offer the agent spoke about last")
    settings_status = serializers.ChoiceField(
        words.CONFIG_STATUSES, allow_null=True, help_text="its word about reported_hash"
    )
    error = serializers.CharField()
