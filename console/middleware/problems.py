"""The page that answers a `Problem` raised by a view."""

from __future__ import annotations

from collections.abc import Callable

from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.shortcuts import render

from console.lib.problems import Problem

UNREADABLE = (SuspiciousOperation, BadRequest, MultiPartParserError, UnreadablePostError)
GetResponse = Callable[[HttpRequest], HttpResponse]


class ProblemMiddleware:
    """Turn a `Problem` that leaves a page view into a page, or a banner for an htmx request."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Answer problems, and what Django cannot read; anything else is a fault and goes on to the
        500 page."""
        if isinstance(error, UNREADABLE):
            error = Problem("api.unreadable_request", code="bad_request")
        if not isinstance(error, Problem):
            return None
        if getattr(request, "htmx", False):
            response = render(
                request, "errors/_banner.html", {"problem": error}, status=error.status
            )
            response["HX-Retarget"] = "#messages"
            response["HX-Reswap"] = "innerHTML show:none"
            return response
        return render(request, "errors/problem.html", {"problem": error}, status=error.status)
