"""Periodic work on agents. Beat starts it every few seconds; running twice changes nothing."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from agents import reconcile as reconciling


@shared_task
def reconcile() -> None:
    """Show agents of dead gateways as disconnected."""
    reconciling.end_dead_gateways(timezone.now())
