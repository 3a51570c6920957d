from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex
from django.db import models

from agents.models.agent import Agent


class Series(models.Model):
    """What one agent's own metrics said at the end of one slot of time (a minute, or finer).

    Counters are cumulative since `started_at` (the agent's word; only compared for equality): the
    increase between two rows is a difference, unless the agent restarted in between. Lists are per
    signal, in the order of `agents.own_metrics.SIGNALS`; None was not reported. The latency
    histogram has the bounds of `agents.own_metrics.LATENCY_BOUNDS_MS`. `measured_at` is our clock.
    """

    agent = models.ForeignKey(Agent, models.CASCADE, related_name="series", db_constraint=False)
    at = models.DateTimeField()
    measured_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    cpu_s = models.FloatField(null=True)
    rss_bytes = models.FloatField(null=True)
    queue_items = models.FloatField(null=True)
    error_logs = models.FloatField(null=True)
    received = ArrayField(models.FloatField(null=True), null=True)
    refused = ArrayField(models.FloatField(null=True), null=True)
    sent = ArrayField(models.FloatField(null=True), null=True)
    failed = ArrayField(models.FloatField(null=True), null=True)
    latency_counts = ArrayField(models.FloatField(), null=True)

    class Meta:
        verbose_name_plural = "series"
        constraints = [
            models.UniqueConstraint(fields=["agent", "at"], name="one_series_row_per_slot")
        ]
        indexes = [BrinIndex(fields=["at"], name="series_by_time", autosummarize=True)]

    def __str__(self) -> str:
        return f"series of agent {self.agent_id} at {self.at:%H:%M:%S}"
