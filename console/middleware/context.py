"""What log lines and audit rows say of the request they belong to."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from console.lib import logs

GetResponse = Callable[[HttpRequest], HttpResponse]


class RequestContextMiddleware:
    """Give each request an id, bind it and the address to log lines, and answer it as a header."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request_id = secrets.token_hex(8)
        request.request_id = request_id  # type: ignore[attr-defined]
        # Forwarded headers are not read: no proxy is trusted unless settings say so (R37).
        address = request.META.get("REMOTE_ADDR") or None
        with logs.bind(request_id=request_id, address=address):
            response = self.get_response(request)
        response["X-Request-ID"] = request_id
        return response
