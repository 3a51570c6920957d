"""The pages of addresses that lead nowhere and of requests that cannot be read.

Everything else that is not done is a `Problem`, which `console.middleware.problems` answers.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from console.lib import logs
from console.lib.problems import MEDIA_TYPE, Missing, Problem


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer what no route knows (`handler404`)."""
    problem = Missing("page.nothing_here")
    if _is_for_scripts(request):
        return _as_json(problem)
    return render(request, "errors/problem.html", {"problem": problem}, status=problem.status)


def unreadable(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a request that Django itself could not read (`handler400`).

    Without the frame: what could not be read may be the session, or the address.
    """
    problem = Problem("api.unreadable_request", code="bad_request")
    if _is_for_scripts(request):
        return _as_json(problem)
    page = render_to_string("errors/standalone.html", {"problem": problem})
    return HttpResponse(page, status=problem.status)


def _is_for_scripts(request: HttpRequest) -> bool:
    return request.path.startswith("/api/")


def _as_json(problem: Problem) -> HttpResponse:
    body = problem.body(str(logs.current("request_id") or ""))
    return JsonResponse(body, status=problem.status, content_type=MEDIA_TYPE)
