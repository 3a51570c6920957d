"""What holds every rollout: `freeze-windows`, `budgets`, `guards` of environments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django.db import models
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from console.api import params
from console.api.idempotency import once
from console.api.shapes import limits as shapes
from console.api.shapes.answer import Answer
from console.api.shapes.base import Body
from console.api.views import ApiView
from console.lib.problems import Missing
from rollouts.actions.limits.budgets import delete_budget, save_budget
from rollouts.actions.limits.environment_guards import (
    delete_environment_guard,
    save_environment_guard,
)
from rollouts.actions.limits.freeze_windows import delete_freeze_window, save_freeze_window
from rollouts.models import Budget, EnvironmentGuard, FreezeWindow


class Limit(ApiView):
    """One limit, saved whole under its name or deleted, each with a reason."""

    verbs = {"PUT": "policies.write", "DELETE": "policies.write"}
    body: ClassVar[type[Body]]
    named: ClassVar[str] = "name"
    save: ClassVar[Callable[..., models.Model]]
    remove: ClassVar[Callable[..., None]]
    row: ClassVar[Callable[..., Any]]

    @once
    def put(self, request: Request, name: str) -> Response:
        given = self.read(self.body)
        saved = type(self).save(by=self.actor, **{self.named: _plain(name), **given})
        return Response(type(self).row(saved))

    @once
    def delete(self, request: Request, name: str) -> Response:
        given = self.read(shapes.DeleteBody)
        type(self).remove(by=self.actor, **{self.named: _plain(name), **given})
        return Response(status=204)


def freeze_window_row(row: FreezeWindow) -> shapes.FreezeWindow:
    """Return one freeze window."""
    return {
        "name": row.name,
        "environment": row.environment,
        "time_zone": row.time_zone,
        "starts_at": row.starts_at,
        "ends_at": row.ends_at,
        "weekdays": row.weekdays,
        "from_time": row.from_time,
        "to_time": row.to_time,
        "reason": row.reason,
        "updated_by": row.updated_by,
        "updated_at": row.updated_at,
    }


def budget_row(row: Budget) -> shapes.Budget:
    """Return one budget."""
    return {
        "label": row.label,
        "max_agents": row.max_agents,
        "max_share": row.max_share,
        "updated_by": row.updated_by,
        "updated_at": row.updated_at,
    }


def guard_row(row: EnvironmentGuard) -> shapes.Guard:
    """Return one guard of an environment."""
    return {
        "name": row.name,
        "environment": row.environment,
        "spec": row.spec,
        "reason": row.reason,
        "updated_by": row.updated_by,
        "updated_at": row.updated_at,
    }


def _plain(name: str) -> str:
    if "\x00" in name:
        raise Missing("api.no_such_name")
    return name


def _described(name: str, body: type[Body], shape: type) -> Callable[[type[Limit]], type[Limit]]:
    common = [params.IDEMPOTENCY_KEY]
    return extend_schema_view(
        put=extend_schema(
            operation_id=f"{name}_save", parameters=common, request=body, responses=shape
        ),
        delete=extend_schema(
            operation_id=f"{name}_delete",
            parameters=common,
            request=shapes.DeleteBody,
            responses={204: None},
        ),
    )


class FreezeWindowList(ApiView):
    """All freeze windows."""

    verbs = {"GET": "rollouts.view"}

    @extend_schema(operation_id="freeze_windows_list", responses=shapes.FreezeWindowList)
    def get(self, request: Request) -> Answer[shapes.FreezeWindowList]:
        rows = FreezeWindow.objects.order_by("pk")
        return Answer({"freeze_windows": [freeze_window_row(row) for row in rows]})


@_described("freeze_windows", shapes.FreezeWindowBody, shapes.FreezeWindow)
class FreezeWindowDetail(Limit):
    """A time in which no rollout advances; rollbacks pass."""

    body = shapes.FreezeWindowBody
    save = staticmethod(save_freeze_window)
    remove = staticmethod(delete_freeze_window)
    row = staticmethod(freeze_window_row)


class BudgetList(ApiView):
    """All budgets."""

    verbs = {"GET": "rollouts.view"}

    @extend_schema(operation_id="budgets_list", responses=shapes.BudgetList)
    def get(self, request: Request) -> Answer[shapes.BudgetList]:
        rows = Budget.objects.order_by("pk")
        return Answer({"budgets": [budget_row(row) for row in rows]})


@_described("budgets", shapes.BudgetBody, shapes.Budget)
class BudgetDetail(Limit):
    """How many agents with the same value of a label may change or be unhealthy at once."""

    body = shapes.BudgetBody
    named = "label"
    save = staticmethod(save_budget)
    remove = staticmethod(delete_budget)
    row = staticmethod(budget_row)


class GuardList(ApiView):
    """All guards of environments."""

    verbs = {"GET": "rollouts.view"}

    @extend_schema(operation_id="guards_list", responses=shapes.GuardList)
    def get(self, request: Request) -> Answer[shapes.GuardList]:
        rows = EnvironmentGuard.objects.order_by("pk")
        return Answer({"guards": [guard_row(row) for row in rows]})


@_described("guards", shapes.GuardBody, shapes.Guard)
class GuardDetail(Limit):
    """A guard of every rollout that touches an environment; plans cannot remove it."""

    body = shapes.GuardBody
    save = staticmethod(save_environment_guard)
    remove = staticmethod(delete_environment_guard)
    row = staticmethod(guard_row)
