"""A request under a name that is not ours is told so, and which setting allows the name."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from console.lib import logs
from console.lib.problems import MEDIA_TYPE, NotOurName
from console.words.plain import plain

logger = logging.getLogger(__name__)
SHOWN = 100  # characters of a name


class HostMiddleware:
    """Answer 400 with a sentence where Django would raise: one line in the log, no traceback."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            request.get_host()
        except DisallowedHost:
            return _refused(request)
        return self.get_response(request)


def _refused(request: HttpRequest) -> HttpResponse:
    name = plain(request.META.get("HTTP_HOST", ""), limit=SHOWN)
    problem = NotOurName("system.not_our_name", name=name)
    logger.warning("a host name is not allowed", extra={"host": name})
    if request.path.startswith("/api/"):
        body = json.dumps(problem.body(str(logs.current("request_id") or "")))
        return HttpResponse(body, status=problem.status, content_type=MEDIA_TYPE)
    # Without the frame: its links, session and language are those of another name.
    page = render_to_string("errors/standalone.html", {"problem": problem})
    return HttpResponse(page, status=problem.status)
