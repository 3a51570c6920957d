"""Middleware of the console: request context for logs and audit, the content security policy,
and the page that answers a `Problem` raised by a view.
"""

from __future__ import annotations

import contextlib
import io
import secrets
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.responders import StaticFile

from console.lib import logs
from console.lib.problems import Problem

HSTS_S = 365 * 24 * 3600
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


class StaticFilesMiddleware(WhiteNoiseMiddleware):
    """Answer static files whole instead of streamed.

    Under ASGI Django reads all of a streamed file first anyhow, and warns of it. Ours are small: the
    largest, the API documentation's script, has 1.6 MB.
    """

    @staticmethod
    def serve(static_file: StaticFile, request: HttpRequest) -> HttpResponse:
        found = static_file.get_response(request.method, request.META)
        with found.file or contextlib.nullcontext(io.BytesIO()) as file:
            response = HttpResponse(file.read(), status=int(found.status))
        del response["Content-Type"]
        for name, value in found.headers:
            response[name] = value
        return response


class ContentSecurityPolicyMiddleware:
    """Send the policy of security.md R41: own files only, no inline script without the nonce; and
    where people come by https, that they always do.

    A view that needs something else (the API documentation) sets the header itself.
    """

    HEADER = "Content-Security-Policy"

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        nonce = secrets.token_urlsafe(16)
        request.csp_nonce = nonce  # type: ignore[attr-defined]
        response = self.get_response(request)
        if self.HEADER not in response:
            response[self.HEADER] = policy(nonce)
        if settings.SESSION_COOKIE_SECURE:
            # Django sends this only where it sees TLS itself; ours usually ends in front of it.
            response["Strict-Transport-Security"] = f"max-age={HSTS_S}"
        return response


def policy(nonce: str) -> str:
    """Return the policy for one response. Styles have no nonce: there are no inline styles."""
    return "; ".join(
        [
            "default-src 'self'",
            f"script-src 'self' 'nonce-{nonce}'",
            "style-src 'self'",
            "img-src 'self' data:",
            "connect-src 'self'",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        ]
    )


class ProblemMiddleware:
    """Turn a `Problem` that leaves a page view into a page, or a banner for an htmx request."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Answer problems only; anything else is a fault and goes on to the 500 page."""
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
