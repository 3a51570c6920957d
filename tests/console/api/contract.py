"""Compare what a route really answers with what the OpenAPI document says it answers."""

from __future__ import annotations

import functools
import json
from typing import Any

import jsonschema  # type: ignore[import-untyped]
from drf_spectacular.generators import SchemaGenerator

from tests.console.api.people import Reply


@functools.cache
def document() -> dict[str, Any]:
    """Return the OpenAPI document, with every object closed: a field it does not name fails."""
    made: dict[str, Any] = json.loads(json.dumps(SchemaGenerator().get_schema(public=True)))
    for component in made["components"]["schemas"].values():
        if "properties" in component and "allOf" not in component:
            component["additionalProperties"] = False
    return made


def assert_as_documented(operation_id: str, answer: Reply) -> dict[str, Any]:
    """Check the body against the document and return it."""
    body: dict[str, Any] = json.loads(answer.getvalue())
    operation = next(
        operation
        for methods in document()["paths"].values()
        for operation in methods.values()
        if operation["operationId"] == operation_id
    )
    described = operation["responses"][str(answer.status_code)]
    schema = described["content"]["application/json"]["schema"]
    jsonschema.validate(body, {**schema, "components": document()["components"]})
    return body
