"""Periodic work on agents. Beat starts it every few seconds; running twice changes nothing."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from agents import reconcile as reconciling
from agents import refused, retiring, sampling, succession
from agents.pruning import prune_series


@shared_task
def reconcile() -> None:
    """Show agents of dead gateways as disconnected."""
    reconciling.end_dead_gateways(timezone.now())


@shared_task
def prune() -> None:
    """Forget own metrics that no gate looks at any more, and old refusals."""
    prune_series(timezone.now())
    refused.forget(timezone.now())


@shared_task
def sample() -> None:
    """Keep how many agents are in which status."""
    sampling.sample(timezone.now())


@shared_task
def retire() -> None:
    """Retire by rule what was not seen for long."""
    retiring.retire_by_rules(timezone.now())


@shared_task
def recognise() -> None:
    """Find whom new agents replace."""
    succession.recognise(timezone.now())
