from __future__ import annotations

from functools import reduce

from django.conf import settings
from django.db import models
from django.db.models import Q

from console.lib.text_column import TextColumn
from rollouts.engine.states import ACTIVE_STATES, PhaseState, RolloutState
from rollouts.models.config import Config, ConfigVersion
from rollouts.models.querysets import INVOLVED, RolloutQuerySet


class Rollout(models.Model):
    """One delivery of one config version to a selection, by a plan frozen with the draft.

    State changes go through `rollouts.apply` only. `revision` grows with each change; acts
    carry the revision the person saw. `next_tick_at` is when the engine looks again, `looked_at` when
    it last did; `caught_up_at` is the last look at targets that were offline. `gate_marks` remembers which gates
    were amber or red, so that each change is one event.
    """

    config = models.ForeignKey(Config, models.PROTECT, related_name="rollouts")
    version = models.ForeignKey(ConfigVersion, models.PROTECT, related_name="rollouts")
    previous_version = models.ForeignKey(ConfigVersion, models.PROTECT, null=True, related_name="+")
    retry_of = models.ForeignKey("self", models.SET_NULL, null=True, related_name="retries")
    superseded_by = models.ForeignKey("self", models.SET_NULL, null=True, related_name="supersedes")
    title = models.CharField(max_length=200)
    selector = models.TextField()
    plan_name = models.CharField(max_length=100)
    plan = models.JSONField()
    seed = models.CharField(max_length=32)
    spread_label = models.CharField(max_length=100, blank=True)
    preview = models.JSONField(default=dict)
    preview_at = models.DateTimeField()
    # Findings of preflight that somebody accepted at the start: [{"check", "reason", "by"}].
    accepted = models.JSONField(default=list, db_default=[])

    state = models.CharField(
        max_length=20, choices=RolloutState.choices(), default=RolloutState.DRAFT
    )
    revision = models.PositiveIntegerField(default=1)
    why = models.JSONField(default=dict)
    gate_marks = models.JSONField(default=dict)
    when_busy = models.CharField(max_length=10, default="refuse")
    start_at = models.DateTimeField(null=True)
    next_tick_at = models.DateTimeField(null=True)
    looked_at = models.DateTimeField(null=True)
    caught_up_at = models.DateTimeField(null=True)
    tick_error = TextColumn(blank=True)
    current_phase = models.PositiveIntegerField(default=0)

    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    created_at = models.DateTimeField()
    # Ids of those who changed the draft.
    editors = models.JSONField(default=list, db_default=[])
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    started_at = models.DateTimeField(null=True)
    paused_by_name = models.CharField(max_length=150, blank=True)
    pause_reason = TextColumn(blank=True)
    baked_s = models.FloatField(default=0)
    finished_at = models.DateTimeField(null=True)

    objects = RolloutQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["config"],
                condition=Q(state__in=sorted(ACTIVE_STATES)),
                name="one_active_rollout_per_config",
            ),
            models.CheckConstraint(
                condition=Q(state__in=sorted(RolloutState)), name="rollout_state_known"
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_tick_at"],
                name="rollout_due",
                condition=Q(next_tick_at__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def number(self) -> str:
        """The number people say: R-0042."""
        return f"R-{self.pk:04d}"

    @property
    def topic(self) -> str:
        """The name under which agents, ticks and live pages speak of this rollout."""
        return f"rollout:{self.pk}"

    @property
    def is_active(self) -> bool:
        return self.state in ACTIVE_STATES

    def involved_ids(self) -> frozenset[int]:
        """Return the ids of everybody whose work this is: they cannot approve it (four eyes)."""
        people = (reduce(getattr, f"{path}_id".split("__"), self) for path in INVOLVED)
        return frozenset(person for person in (*people, *self.editors) if isinstance(person, int))

    @property
    def shown_state(self) -> str:
        """The state in the words of pages: what was given up before its start stopped nothing."""
        if self.state == RolloutState.ABORTED and self.started_at is None:
            return "never_started"
        return self.state


class Phase(models.Model):
    """One step of a rollout. `counts` is kept by the tick from what changed and read with
    `rollouts.engine.facts.Counts`. `environments` are the values of label `env` among its members.
    `observed_s` grows only while the engine really looks, so an absent worker rushes nothing."""

    rollout = models.ForeignKey(Rollout, models.CASCADE, related_name="phases")
    index = models.PositiveIntegerField()
    name = models.CharField(max_length=100)
    is_rest = models.BooleanField(default=False)
    manual = models.BooleanField(default=False)
    weight = models.FloatField()
    selector = models.TextField(blank=True)
    environments = models.JSONField(default=list)
    spec = models.JSONField(default=dict)
    state = models.CharField(
        max_length=20, choices=PhaseState.choices(), default=PhaseState.PENDING
    )
    counts = models.JSONField(default=dict)
    started_at = models.DateTimeField(null=True)
    deployed_at = models.DateTimeField(null=True)
    observed_s = models.FloatField(default=0)
    advanced_by = models.CharField(max_length=150, blank=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["index"]
        constraints = [
            models.UniqueConstraint(fields=["rollout", "index"], name="one_phase_per_index"),
            models.UniqueConstraint(fields=["rollout", "name"], name="one_phase_per_name"),
        ]

    def __str__(self) -> str:
        return f"{self.rollout_id}/{self.name}"
