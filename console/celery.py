"""The Celery app: queues, limits and the beat schedule (spec section 2; style.md section 7).

Beat only starts ticks. Every tick claims rows with SKIP LOCKED and is safe to run twice, so a
second beat, a lost message or a redelivery changes nothing.
"""

from __future__ import annotations

import os

from celery import Celery, signals
from django.conf import settings

from console import wake
from console.lib.database.sessions import SessionLimits

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")

app = Celery("tidegate")
app.conf.update(
    broker_url=settings.CELERY_BROKER_URL,
    broker_connection_retry_on_startup=True,
    broker_transport_options={"visibility_timeout": 120},
    task_serializer="json",
    accept_content=["json"],
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    worker_cancel_long_running_tasks_on_connection_loss=True,
    task_soft_time_limit=settings.TASK_SOFT_LIMIT_S,
    task_time_limit=settings.TASK_HARD_LIMIT_S,
    task_ignore_result=True,
    task_default_queue="tick",
    task_routes={
        "rollouts.tasks.rollback_*": {"queue": "rollback"},
        "rollouts.tasks.*": {"queue": "tick"},
        "agents.tasks.*": {"queue": "tick"},
        "certs.tasks.*": {"queue": "certs"},
        "console.notify.*": {"queue": "notify"},
    },
    # Ticks that nobody fetched within their interval are worthless: the next one does the work.
    beat_schedule={
        "rollout-tick": {
            "task": "rollouts.tasks.tick",
            "schedule": settings.TICK_INTERVAL_S,
            "options": {"expires": 5, "queue": "tick"},
        },
        "rollback-tick": {
            "task": "rollouts.tasks.rollback_tick",
            "schedule": settings.TICK_INTERVAL_S,
            "options": {"expires": 5, "queue": "rollback"},
        },
        "measure": {
            "task": "rollouts.tasks.measure",
            "schedule": settings.TICK_INTERVAL_S * 2,
            "options": {"expires": 5, "queue": "tick"},
        },
        "welcome": {
            "task": "rollouts.tasks.welcome",
            "schedule": 5.0,
            "options": {"expires": 10, "queue": "tick"},
        },
        "reconcile-agents": {
            "task": "agents.tasks.reconcile",
            "schedule": 5.0,
            "options": {"expires": 10, "queue": "tick"},
        },
        "retire-agents": {
            "task": "agents.tasks.retire",
            "schedule": 60.0,
            "options": {"expires": 60, "queue": "tick"},
        },
        "sample-fleet": {
            "task": "agents.tasks.sample",
            "schedule": 30.0,  # a sample each two minutes; more often, so that a lost one is made up
            "options": {"expires": 30, "queue": "tick"},
        },
        "sign-configs": {
            "task": "certs.tasks.sign",
            "schedule": settings.TICK_INTERVAL_S,
            "options": {"expires": 5, "queue": "certs"},
        },
        "watch-attention": {
            "task": "rollouts.tasks.watch_attention",
            "schedule": 5.0,
            "options": {"expires": 5, "queue": "tick"},
        },
        "recognise-agents": {
            "task": "agents.tasks.recognise",
            "schedule": 15.0,
            "options": {"expires": 15, "queue": "tick"},
        },
        "certificates-tick": {
            "task": "certs.tasks.tick",
            "schedule": settings.TICK_INTERVAL_S,
            "options": {"expires": 5, "queue": "certs"},
        },
        "prune-own-metrics": {
            "task": "agents.tasks.prune",
            "schedule": 60.0,
            "options": {"expires": 30, "queue": "tick"},
        },
        "prune-measurements": {
            "task": "rollouts.tasks.prune",
            "schedule": 60.0,
            "options": {"expires": 30, "queue": "tick"},
        },
    },
    beat_scheduler="console.beat:SteadyScheduler",
    beat_schedule_filename=str(settings.DATA_DIR / "beat-schedule"),
)
app.autodiscover_tasks(["agents", "rollouts", "certs"])


@signals.worker_init.connect  # type: ignore[untyped-decorator]  # celery has no types
@signals.worker_process_init.connect  # type: ignore[untyped-decorator]  # the same
def limit_sessions(**_: object) -> None:
    """Bound what the database sessions of a worker, and of each process of its pool, may take."""
    between = (settings.TASK_SOFT_LIMIT_S + settings.TASK_HARD_LIMIT_S) / 2
    SessionLimits(statement_s=settings.WORKER_STATEMENT_TIMEOUT_S, task_s=between).install()


@signals.beat_init.connect  # type: ignore[untyped-decorator]  # the same
def listen_for_news(**_: object) -> None:
    """Start ticks between the seconds too, when something was written that a rollout waits for."""
    wake.start(app)
