"""Celery tasks: names, and calls into the loops. The next beat is the retry."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from rollouts.analysis.measure import measure_all
from rollouts.analysis.pruning import (
    prune_measurements,
    prune_moments,
    prune_unwatched_series,
)
from rollouts.attention import watch
from rollouts.loop.tick import look_at_news, rollback_tick_all, tick_all, welcome_all


@shared_task(name="rollouts.tasks.tick")
def tick() -> None:
    """Take due rollouts further."""
    tick_all()


@shared_task(name="rollouts.tasks.look_at_news")
def look_at_news_of(rollout_ids: list[int]) -> None:
    """Look at rollouts whose agents said something that is written now."""
    look_at_news(rollout_ids, timezone.now())


@shared_task(name="rollouts.tasks.rollback_tick")
def rollback_tick() -> None:
    """Take due rollbacks further; in a queue of its own, so that nothing delays a way back."""
    rollback_tick_all()


@shared_task(name="rollouts.tasks.measure")
def measure() -> None:
    """Read the gates of running rollouts."""
    measure_all(timezone.now())


@shared_task(name="rollouts.tasks.prune")
def prune() -> None:
    """Forget measurements of rollouts that are long over, and series that nobody watches."""
    prune_measurements(timezone.now())
    prune_moments(timezone.now())
    prune_unwatched_series(timezone.now())


@shared_task(name="rollouts.tasks.watch_attention")
def watch_attention() -> None:
    """Tell pages when something else needs a person than before."""
    watch.watch(timezone.now())


@shared_task(name="rollouts.tasks.welcome")
def welcome() -> None:
    """Give late joiners the last completed version."""
    welcome_all()
