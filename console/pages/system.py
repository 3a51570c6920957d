"""What Tidegate says about itself to machines: health, readiness, metrics, version."""

from __future__ import annotations

from django.core.cache import cache
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_GET
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from redis.exceptions import RedisError

from console.lib.texts import said, text
from console.lib.version import VERSION
from console.pages.certificates.metrics import REGISTRY as CERTIFICATES


@require_GET
def healthz(request: HttpRequest) -> HttpResponse:
    """200 as long as the process serves; does no I/O."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_GET
def readyz(request: HttpRequest) -> JsonResponse:
    """200 when database, migrations and Redis answer, else 503 with the reason of each."""
    checks = {"database": _database(), "redis": _redis()}
    ready = all(state == "ok" for state in checks.values())
    return JsonResponse({"ready": ready, "checks": checks}, status=200 if ready else 503)


@require_GET
def metrics(request: HttpRequest) -> HttpResponse:
    """The console's own Prometheus metrics (spec section 8)."""
    body = generate_latest() + generate_latest(CERTIFICATES)
    return HttpResponse(body, content_type=CONTENT_TYPE_LATEST)


@require_GET
def version(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"version": VERSION})


def _database() -> str:
    try:
        executor = MigrationExecutor(connection)
        waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as error:
        return f"not reachable: {type(error).__name__}"
    return said(text("system.migrations", count=len(waiting))) if waiting else "ok"


def _redis() -> str:
    try:
        cache.set("readyz", 1, timeout=5)
    except RedisError as error:
        return f"not reachable: {type(error).__name__}"
    return "ok"
