"""Celery tasks of the issuer worker: names, and calls into the loops. The next beat is the retry."""

from __future__ import annotations

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from certs.loop.tick import tick
from certs.signing.sign import sign_waiting


@shared_task(name="certs.tasks.tick")
def tick_certificates() -> None:
    """Take requests, renewals and offers further."""
    tick(timezone.now(), settings.TICK_INTERVAL_S)


@shared_task(name="certs.tasks.sign")
def sign() -> None:
    """Sign the config versions that wait for it."""
    sign_waiting(timezone.now())
