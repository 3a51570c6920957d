"""`If-Match` and `revision`: an act is done only on the state that the person saw."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from rest_framework.request import Request

from console.lib.problems import FieldError, Invalid
from console.lib.texts import text as say

_ETAG = re.compile(r'(?:W/)?"?(\d{1,9})"?')


def etag(revision: int) -> str:
    """Return the entity tag of a revision."""
    return f'"{revision}"'


def seen(request: Request, body: Mapping[str, Any]) -> int | None:
    """Return the revision that was seen, from the header or the body; None when neither says.

    Raises Invalid when the header is no revision, or the two differ.
    """
    said = body.get("revision")
    header = request.headers.get("If-Match", "").strip()
    if header in ("", "*"):
        return said
    match = _ETAG.fullmatch(header)
    if match is None:
        raise Invalid(
            "api.no_revision",
            read=header[:40],
            errors=[FieldError("If-Match", say("api.must_be_revision"))],
        )
    revision = int(match[1])
    if said is not None and said != revision:
        raise Invalid(
            "api.two_revisions",
            header=revision,
            body=said,
            errors=[FieldError("revision", say("api.differs_from_header"))],
        )
    return revision
