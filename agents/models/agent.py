from __future__ import annotations

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models.fields.json import KT
from django.db.models.functions import Left

from agents.models.querysets import AgentQuerySet
from console.lib.text_column import TextColumn


class Agent(models.Model):
    """One OpAMP client: who it is and what it can do. Changes rarely; see AgentStatus for the rest.

    `labels` is what selectors match: reported attributes as text, overlaid by `operator_labels`
    (which win). `version_keys` holds a sortable key for each label whose value is a version.
    `bound_to` names the credential that first claimed the uid (security.md section 3.2).

    A retired agent (`retired_at`) is out of selections and counts until it connects again. `replaces`
    is the agent whose host this one runs on now under a new uid; with `took_over_at` it has that
    agent's labels and history. `kin_sought_at` is when such a predecessor was looked for.
    """

    class Kind(models.TextChoices):
        SUPERVISOR = "supervisor"
        COLLECTOR = "collector"
        CLIENT = "client"
        UNKNOWN = "unknown"

    instance_uid = models.UUIDField(unique=True)
    name = models.CharField(max_length=200, blank=True)
    kind = models.CharField(max_length=12, choices=Kind.choices, default=Kind.UNKNOWN)
    version = models.CharField(max_length=100, blank=True)
    labels = models.JSONField(default=dict)
    operator_labels = models.JSONField(default=dict)
    version_keys = models.JSONField(default=dict)
    identifying = models.JSONField(default=dict)
    non_identifying = models.JSONField(default=dict)
    capabilities = models.BigIntegerField(default=0)
    custom_capabilities = models.JSONField(default=list)
    components_hash = models.CharField(max_length=128, blank=True, default="")
    bound_to = models.CharField(max_length=64, blank=True, default="")
    first_seen_at = models.DateTimeField()
    described_at = models.DateTimeField(null=True)
    retired_at = models.DateTimeField(null=True)
    retired_by = TextColumn(blank=True, default="", db_default="")
    retired_why = TextColumn(blank=True, default="", db_default="")
    replaces = models.OneToOneField("self", models.SET_NULL, null=True, related_name="replaced_by")
    took_over_at = models.DateTimeField(null=True)
    kin_sought_at = models.DateTimeField(null=True)

    objects = AgentQuerySet.as_manager()

    class Meta:
        indexes = [
            GinIndex(fields=["labels"], name="agent_labels", opclasses=["jsonb_path_ops"]),
            models.Index(fields=["name", "id"], name="agent_name"),
            models.Index(fields=["components_hash"], name="agent_components"),
            # Cut, because agents choose their labels and an index takes no long ones.
            models.Index(
                Left(KT("labels__host.name"), 200),
                Left(KT("labels__service.name"), 200),
                name="agent_host",
            ),
            models.Index(
                fields=["id"], name="agent_without_kin", condition=models.Q(kin_sought_at=None)
            ),
            models.Index(
                fields=["replaces"],
                name="agent_maybe_replaced",
                condition=models.Q(replaces__isnull=False, took_over_at=None),
            ),
        ]

    def __str__(self) -> str:
        return self.name or str(self.instance_uid)

    def has_capability(self, bit: int) -> bool:
        """Tell whether the agent last announced this AgentCapabilities bit (OP-19, OP-20)."""
        return bool(self.capabilities & bit)


class AgentAlias(models.Model):
    """Another instance_uid that means this agent: a former one, or one ordered and not yet used.

    An ordered alias turns into the former one in the moment the agent speaks with it (OP-06, OP-07).
    """

    instance_uid = models.UUIDField(unique=True)
    agent = models.ForeignKey(Agent, models.CASCADE, related_name="aliases")
    is_ordered = models.BooleanField(default=False)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.instance_uid)


class ComponentSet(models.Model):
    """The components behind an AvailableComponents hash, the same for every agent with it (OP-57).

    `names` is a flat list such as "processor:transform"; `details` the tree as reported.
    """

    components_hash = models.CharField(max_length=128, primary_key=True)
    names = models.JSONField(default=list)
    details = models.JSONField(default=dict)
    at = models.DateTimeField()

    class Meta:
        indexes = [GinIndex(fields=["names"], name="component_names", opclasses=["jsonb_path_ops"])]

    def __str__(self) -> str:
        return self.components_hash[:12]
