from __future__ import annotations

from django.db import models
from django.db.models import Q

from agents.models import Agent
from console.lib.text_column import TextColumn
from rollouts.engine.states import FAILED_TARGETS, TargetState
from rollouts.models.rollout import Phase, Rollout


class Target(models.Model):
    """One agent in one rollout: its phase, its place in line, what it ran before, how it goes.

    `active` is true from start until the rollout is over for it; the database allows an agent only
    one active target. `previous_hash` is "" when the agent had no remote config. `away` it was when
    membership was frozen: until it returns it counts for no quorum. `off_since` is since when an agent
    that got the version does not run it by its own word; None while it does, and is connected.
    `well_since` is when bad health ended. `losses` is how often since the offer it came back without its
    config; `losses_before` is what its status counted until then. `by_effective`: it reports no status,
    and was confirmed by the effective config it shows. `taken_from` is the state it was in when it was
    taken back, "" before: who refused stays countable after the way back.
    """

    rollout = models.ForeignKey(Rollout, models.CASCADE, related_name="targets", db_index=False)
    phase = models.ForeignKey(Phase, models.CASCADE, related_name="targets", db_index=False)
    agent = models.ForeignKey(Agent, models.CASCADE, related_name="targets")
    position = models.PositiveIntegerField()
    state = models.CharField(
        max_length=12, choices=TargetState.choices(), default=TargetState.WAITING
    )
    active = models.BooleanField(default=False)
    previous_hash = models.CharField(max_length=64, blank=True)
    offered_at = models.DateTimeField(null=True)
    confirmed_at = models.DateTimeField(null=True)
    deadline_at = models.DateTimeField(null=True)
    online = models.BooleanField(default=True)
    away = models.BooleanField(default=False, db_default=False)
    healthy = models.BooleanField(null=True)
    was_unhealthy = models.BooleanField(default=False)
    was_sick = models.BooleanField(default=False, db_default=False)
    unhealthy_since = models.DateTimeField(null=True)
    well_since = models.DateTimeField(null=True)
    off_since = models.DateTimeField(null=True)
    losses_before = models.IntegerField(default=0, db_default=0)
    losses = models.IntegerField(default=0, db_default=0)
    by_effective = models.BooleanField(default=False, db_default=False)
    error = TextColumn(blank=True)
    taken_from = models.CharField(
        max_length=12, choices=TargetState.choices(), blank=True, default="", db_default=""
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["rollout", "agent"], name="one_target_per_agent"),
            models.UniqueConstraint(
                fields=["agent"], condition=Q(active=True), name="agent_in_one_active_rollout"
            ),
        ]
        indexes = [
            models.Index(fields=["phase", "state", "position"], name="target_in_line"),
            models.Index(
                fields=["rollout", "deadline_at"],
                name="target_deadline",
                condition=Q(state="offered", deadline_at__isnull=False),
            ),
            models.Index(
                fields=["phase", "confirmed_at"],
                name="target_sick",
                condition=Q(state="applied", was_unhealthy=False)
                & (Q(healthy=False) | Q(well_since__isnull=False)),
            ),
            models.Index(
                fields=["rollout", "off_since"],
                name="target_off",
                condition=Q(state__in=["offered", "applied"], off_since__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"agent {self.agent_id} in rollout {self.rollout_id}"

    @property
    def has_failed(self) -> bool:
        """Whether it counts as failed by its state; bad health is another matter."""
        return self.state in FAILED_TARGETS
