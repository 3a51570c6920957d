"""`apply`: configs, plans and selectors from one file, all of them or none (spec section 3)."""

from __future__ import annotations

from typing import cast

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from console.api import params
from console.api.idempotency import once
from console.api.parsers import RawParser
from console.api.shapes import applying as shapes
from console.api.shapes.answer import Answer
from console.api.shapes.configs import Check
from console.api.views import ApiView, raw
from rollouts.actions.files.apply_documents import Applied, apply_documents
from rollouts.documents import File


class Apply(ApiView):
    verbs = {"POST": "configs.write"}
    parser_classes = [RawParser]

    @extend_schema(
        operation_id="apply",
        parameters=[params.FILE_NAME, params.DRY_RUN, params.IDEMPOTENCY_KEY],
        request={"application/yaml": OpenApiTypes.BINARY},
        responses=shapes.AppliedList,
    )
    @once
    def post(self, request: Request) -> Answer[shapes.AppliedList]:
        """Make what a YAML file (one or more documents) says so. Twice changes nothing."""
        dry_run = params.DRY_RUN.of(request)
        name = params.FILE_NAME.of(request)
        body = raw(request)
        file = File.at(name, body) if name else File("body", body)
        applied = apply_documents(files=[file], by=self.actor, dry_run=dry_run)
        found = [_row(one) for one in applied]
        return Answer({"applied": found, "dry_run": dry_run})


def _row(applied: Applied) -> shapes.Applied:
    row: shapes.Applied = {
        "kind": applied.kind.value,
        "name": applied.name,
        "change": applied.change.value,
        "file": applied.file,
        "difference": applied.difference,
        "notes": list(applied.notes),
    }
    if applied.version:
        row["version"] = applied.version
        row["checks"] = cast(list[Check], list(applied.checks))
    return row
