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
from console.api.shapes.base import Body, Shape
from console.api.views import ApiView
from console.lib.problems import Missing
from rollouts.actions.budgets import delete_budget, save_budget
from rollouts.actions.environment_guards import delete_environment_guard, save_environment_guard
from rollouts.actions.freeze_windows import delete_freeze_window, save_freeze_window
from rollouts.models import Budget, EnvironmentGuard, FreezeWindow

_FIELDS: dict[type[models.Model], tuple[str, ...]] = {
    FreezeWindow: (
        *("name", "environment", "time_zone", "starts_at", "ends_at", "weekdays"),
        *("from_time", "to_time", "reason", "updated_by", "updated_at"),
    ),
    Budget: ("label", "max_agents", "max_share", "updated_by", "updated_at"),
    EnvironmentGuard: ("name", "environment", "spec", "reason", "updated_by", "updated_at"),
}


class LimitList(ApiView):
    """All limits of one kind. Subclasses name the kind, and the key its list has."""

    verbs = {"GET": "rollouts.view"}
    kind: ClassVar[type[models.Model]]
    key: ClassVar[str]

    def get(self, request: Request) -> Response:
        rows = self.kind._default_manager.order_by("pk")
        return Response({self.key: [row_of(row) for row in rows]})


class Limit(ApiView):
    """One limit, saved whole under its name or deleted, each with a reason."""

    verbs = {"PUT": "policies.write", "DELETE": "policies.write"}
    body: ClassVar[type[Body]]
    named: ClassVar[str] = "name"
    save: ClassVar[Callable[..., models.Model]]
    remove: ClassVar[Callable[..., None]]

    @once
    def put(self, request: Request, name: str) -> Response:
        given = self.read(self.body)
        saved = type(self).save(by=self.actor, **{self.named: _plain(name), **given})
        return Response(row_of(saved))

    @once
    def delete(self, request: Request, name: str) -> Response:
        given = self.read(shapes.DeleteBody)
        type(self).remove(by=self.actor, **{self.named: _plain(name), **given})
        return Response(status=204)


def row_of(row: models.Model) -> dict[str, Any]:
    """Return the plain fields of one limit."""
    return {name: getattr(row, name) for name in _FIELDS[type(row)]}


def _plain(name: str) -> str:
    if "\x00" in name:
        raise Missing("api.no_such_name")
    return name


def _listed(name: str, shape: type[Shape]) -> Callable[[type[LimitList]], type[LimitList]]:
    return extend_schema_view(get=extend_schema(operation_id=f"{name}_list", responses=shape))


def _described(
    name: str, body: type[Body], shape: type[Shape]
) -> Callable[[type[Limit]], type[Limit]]:
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


@_listed("freeze_windows", shapes.FreezeWindowList)
class FreezeWindowList(LimitList):
    kind = FreezeWindow
    key = "freeze_windows"


@_described("freeze_windows", shapes.FreezeWindowBody, shapes.FreezeWindow)
class FreezeWindowDetail(Limit):
    """A time in which no rollout advances; rollbacks pass."""

    body = shapes.FreezeWindowBody
    save = staticmethod(save_freeze_window)
    remove = staticmethod(delete_freeze_window)


@_listed("budgets", shapes.BudgetList)
class BudgetList(LimitList):
    kind = Budget
    key = "budgets"


@_described("budgets", shapes.BudgetBody, shapes.Budget)
class BudgetDetail(Limit):
    """How many agents with the same value of a label may change or be unhealthy at once."""

    body = shapes.BudgetBody
    named = "label"
    save = staticmethod(save_budget)
    remove = staticmethod(delete_budget)


@_listed("guards", shapes.GuardList)
class GuardList(LimitList):
    kind = EnvironmentGuard
    key = "guards"


@_described("guards", shapes.GuardBody, shapes.Guard)
class GuardDetail(Limit):
    """A guard of every rollout that touches an environment; plans cannot remove it."""

    body = shapes.GuardBody
    save = staticmethod(save_environment_guard)
    remove = staticmethod(delete_environment_guard)
