"""Periodic work on agents. Beat starts it every few seconds; running twice changes nothing."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from agents import reconcile as reconciling
from agents.pruning import prune_series


@shared_task
def reconcile() -> None:
    """Show agents of dead gateways as disconnected."""
    reconciling.end_dead_gateways(timezone.now())


@shared_task
def prune() -> None:
    """Forget own metrics that no gate looks at any more."""
    prune_series(timezone.now())
