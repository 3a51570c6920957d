"""`Idempotency-Key`: a write that is sent twice is done once, and answered the same.

The key, the write and the answer are one transaction. A second request with the same key waits
on the unique index until the first commits, then gets its answer; if the first died, nothing of
it was done and the second does it. Only successes are kept: after a refusal nothing was done, so
the same key may try again. Keys belong to a person and live 24 hours.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Concatenate, ParamSpec, TypeVar, cast

from django.db import transaction
from django.utils import timezone
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from console.api.views import ApiView
from console.lib.problems import FieldError, Invalid
from console.lib.texts import text as say
from console.models import StoredAnswer

LIFE = timedelta(hours=24)
_KEPT_HEADERS = ("Location", "ETag")
_LONGEST_KEY = 255

P = ParamSpec("P")
V = TypeVar("V", bound=ApiView)
Write = Callable[Concatenate[V, Request, P], Response]


def once(write: Write[V, P]) -> Write[V, P]:
    """Make a writing method obey `Idempotency-Key`."""

    @functools.wraps(write)
    def done_once(view: V, request: Request, /, *args: P.args, **kwargs: P.kwargs) -> Response:
        key = request.headers.get("Idempotency-Key")
        if key is None:
            return write(view, request, *args, **kwargs)
        _check(key)
        with transaction.atomic():
            row, is_new = _claim(cast(User, request.user), key, _fingerprint(request))
            if not is_new:
                return _again(row, _fingerprint(request))
            response = write(view, request, *args, **kwargs)
            if response.status_code >= 300:
                transaction.set_rollback(True)
            else:
                _keep(row, response)
        return response

    done_once.obeys_idempotency_key = True  # type: ignore[attr-defined]
    return done_once


def _check(key: str) -> None:
    if not 0 < len(key) <= _LONGEST_KEY or not key.isascii() or not key.isprintable():
        raise Invalid(
            "api.bad_key",
            most=_LONGEST_KEY,
            errors=[FieldError("Idempotency-Key", say("api.unusable_key"))],
        )


def _fingerprint(request: Request) -> str:
    data: object = request.data
    body = data if isinstance(data, bytes) else json.dumps(data, sort_keys=True).encode()
    head = f"{request.method} {request.get_full_path()}\n".encode()
    return hashlib.sha256(head + body).hexdigest()


def _claim(user: User, key: str, fingerprint: str) -> tuple[StoredAnswer, bool]:
    """Return the row of this key, and whether this request made it. Waits for a request that is
    being worked on under the same key (it holds the unique index entry until it commits)."""
    now = timezone.now()
    StoredAnswer.objects.filter(user=user, created_at__lt=now - LIFE).delete()
    row = StoredAnswer(user=user, key=key, fingerprint=fingerprint, created_at=now)
    StoredAnswer.objects.bulk_create([row], ignore_conflicts=True)
    found = StoredAnswer.objects.get(user=user, key=key)
    return found, found.status == 0


def _again(row: StoredAnswer, fingerprint: str) -> Response:
    if row.fingerprint != fingerprint:
        raise Invalid(
            "api.key_reused",
            code="key_reused",
            errors=[FieldError("Idempotency-Key", say("api.key_of_another"))],
        )
    return Response(
        row.body, status=row.status, headers={**row.headers, "Idempotency-Replayed": "true"}
    )


def _keep(row: StoredAnswer, response: Response) -> None:
    row.status = response.status_code
    row.headers = {name: response[name] for name in _KEPT_HEADERS if name in response}
    row.body = json.loads(JSONRenderer().render(response.data) or b"{}")
    row.save(update_fields=["status", "headers", "body"])
