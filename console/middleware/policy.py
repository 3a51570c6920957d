"""What a browser is told it may do with our pages (security.md R41)."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

HSTS_S = 365 * 24 * 3600
# What of the reader's machine a page may use: only what our buttons "Copy" need.
PERMISSIONS = ", ".join(
    [
        "clipboard-write=(self)",
        *(
            f"{feature}=()"
            for feature in (
                "accelerometer",
                "autoplay",
                "camera",
                "clipboard-read",
                "display-capture",
                "fullscreen",
                "geolocation",
                "gyroscope",
                "hid",
                "magnetometer",
                "microphone",
                "midi",
                "payment",
                "picture-in-picture",
                "screen-wake-lock",
                "serial",
                "usb",
                "web-share",
                "xr-spatial-tracking",
            )
        ),
    ]
)
GetResponse = Callable[[HttpRequest], HttpResponse]


class PolicyMiddleware:
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
        response["Permissions-Policy"] = PERMISSIONS
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
