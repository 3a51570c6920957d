"""Every error of the API as RFC 9457 problem+json, from one handler.

Members: type, title, status, detail, code (stable, for scripts), errors [{path, message}] and
request_id. A fault of ours says nothing about its inside; the log line with the same request_id
does.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.core.exceptions import (
    BadRequest,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
)
from django.db import DatabaseError, InterfaceError, OperationalError
from django.http import Http404
from django.http.multipartparser import MultiPartParserError
from rest_framework import exceptions
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response

from agents.selectors.errors import SelectorError
from console.lib import logs
from console.lib.problems import (
    MEDIA_TYPE,
    Denied,
    FieldError,
    Invalid,
    Missing,
    Problem,
    TooLarge,
    Transient,
)
from console.lib.texts import text as say

logger = logging.getLogger(__name__)

_TITLES = {
    401: say("problem.sign_in"),
    405: say("problem.not_possible"),
    415: say("problem.not_readable"),
    429: say("problem.too_many"),
}

_SIGN_IN = say("api.sign_in")


class ProblemRenderer(JSONRenderer):
    """JSON under the media type of problems. Chosen by the handler, never negotiated."""

    media_type = MEDIA_TYPE


class Fault(Problem):
    """Something of ours broke. Never raised: the handler answers unexpected errors with it."""

    status = 500
    code = "fault"
    title = say("problem.fault")


def problem_response(error: Exception, context: Mapping[str, Any]) -> Response:
    """Answer an exception that left an API view (REST_FRAMEWORK["EXCEPTION_HANDLER"])."""
    problem = _as_problem(error)
    if isinstance(problem, Fault):
        logger.error("API request failed", exc_info=error, extra={"view": _name(context)})
    headers = {}
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    if problem.status == 503:
        headers["Retry-After"] = "2"
    elif problem.status == 429:
        headers["Retry-After"] = str(int(getattr(error, "wait", None) or 1))
    more: dict[str, Any] = {}
    if isinstance(problem, SelectorError) and problem.position is not None:
        more = {"position": problem.position, "caret": problem.caret}
    response = answer(problem, headers=headers, **more)
    _render_as_problem(response, context)
    return response


def answer(problem: Problem, *, headers: Mapping[str, str] | None = None, **more: Any) -> Response:
    """Return the response for a problem; `more` are extension members, e.g. the present state."""
    body = problem.body(str(logs.current("request_id") or ""), **more)
    return Response(
        body, status=problem.status, headers=dict(headers or {}), content_type=MEDIA_TYPE
    )


def _render_as_problem(response: Response, context: Mapping[str, Any]) -> None:
    """Problems are JSON even where the route answers something else (a config's bytes)."""
    request = context.get("request")
    if request is not None:
        request.accepted_renderer = ProblemRenderer()
        request.accepted_media_type = MEDIA_TYPE


def _name(context: Mapping[str, Any]) -> str:
    return type(context.get("view")).__name__


def _as_problem(error: Exception) -> Problem:
    if isinstance(error, Problem):
        return error
    if isinstance(error, exceptions.APIException):
        return _from_drf(error)
    if isinstance(error, Http404):
        return Missing("api.nothing_here")
    if isinstance(error, PermissionDenied):
        return Denied(str(error) or say("api.denied"))
    if isinstance(error, RequestDataTooBig):
        return TooLarge("api.body_too_large")
    if isinstance(error, SuspiciousOperation | BadRequest | MultiPartParserError):
        return Problem("api.unreadable_request", code="bad_request")
    if isinstance(error, OperationalError | InterfaceError):
        logger.warning("Database is away", extra={"error": type(error).__name__})
        return Transient("api.database_away")
    if isinstance(error, DatabaseError):
        return Fault(say("api.not_stored"))
    return Fault(say("api.fault"))


def _from_drf(error: exceptions.APIException) -> Problem:
    if isinstance(error, exceptions.ValidationError):
        return invalid(error.detail)
    detail = _SIGN_IN if isinstance(error, exceptions.NotAuthenticated) else str(error.detail)
    problem = Problem(detail, code=_code(error))
    problem.status = error.status_code
    problem.title = _TITLES.get(error.status_code, problem.title)
    if isinstance(error, exceptions.NotFound):
        return Missing("api.nothing_here")
    if isinstance(error, exceptions.PermissionDenied):
        return Denied(str(error.detail))
    return problem


def _code(error: exceptions.APIException) -> str:
    code = error.get_codes()
    if isinstance(error, exceptions.NotAuthenticated):
        return "credential_missing"
    return code if isinstance(code, str) else "problem"


def invalid(detail: Any) -> Invalid:
    """Return the Problem for what a serializer found: one error per wrong place."""
    errors = list(_field_errors(detail, ""))
    first = errors[0] if errors else FieldError("", say("problem.invalid"))
    says = first.says
    if first.path:
        says = say("field.only", path=first.path, what=says)
    if len(errors) > 1:
        says = say("api.and_more", what=says, more=len(errors) - 1)
    return Invalid(says, errors=errors)


def _field_errors(detail: Any, path: str) -> Iterator[FieldError]:
    if isinstance(detail, Mapping):
        for key, value in detail.items():
            yield from _field_errors(value, _joined(path, key))
    elif isinstance(detail, Sequence) and not isinstance(detail, str):
        for index, value in enumerate(detail):
            inside = isinstance(value, Mapping)
            yield from _field_errors(value, f"{path}[{index}]" if inside else path)
    else:
        yield FieldError(path, str(detail))


def _joined(path: str, key: object) -> str:
    if isinstance(key, int):
        return f"{path}[{key}]"
    own = "" if key == "non_field_errors" else str(key)
    return ".".join(filter(None, [path, own]))
