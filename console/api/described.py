"""What the OpenAPI document says of acts, in the words of their docstrings."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view

from console.api import params
from console.api.shapes.base import Body
from console.api.views import ApiView

View = TypeVar("View", bound=ApiView)


def described(
    operation_id: str,
    body: type[Body],
    responses: dict[int, Any],
    parameters: tuple[OpenApiParameter, ...] = (),
) -> Callable[[type[View]], type[View]]:
    """Describe the POST of a view: it takes a key so that a repeated call does nothing twice."""

    def describe(view: type[View]) -> type[View]:
        schema = extend_schema(
            operation_id=operation_id,
            description=inspect.getdoc(view),
            parameters=[*parameters, params.IDEMPOTENCY_KEY],
            request=body,
            responses=responses,
        )
        return extend_schema_view(post=schema)(view)

    return describe
