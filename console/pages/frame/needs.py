"""The guard of every page: signed in, and allowed by `accounts.policy.can`."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import resolve_url
from django.utils.cache import patch_vary_headers
from django_htmx.middleware import HtmxDetails

from accounts.actor import Actor
from accounts.models import User
from accounts.policy import require

P = ParamSpec("P")
MAX_BACK = 2000  # characters of the address to come back to


class HtmxRequest(HttpRequest):
    """A request of a signed-in person, as views behind `needs` receive it."""

    htmx: HtmxDetails
    user: User
    actor: Actor
    counted: list[tuple[str, str, str]]  # of `frame.counts.read`, when the page has read them


View = Callable[Concatenate[HtmxRequest, P], HttpResponseBase]


def needs(
    verb: str,
) -> Callable[[View[P]], Callable[Concatenate[HttpRequest, P], HttpResponseBase]]:
    """Let a view run only for a person who may do `verb`; `request.actor` is who asks.

    Nobody is signed in: to the login page and back. Not allowed: Denied, which becomes a page.
    """

    def decorate(view: View[P]) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
        @wraps(view)
        def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return to_login(request)
            request.actor = Actor.of(request.user)  # type: ignore[attr-defined]
            require(request.actor, verb)  # type: ignore[attr-defined]
            response = view(request, *args, **kwargs)  # type: ignore[arg-type]
            # One URL answers pages and fragments, so caches must tell them apart (ui.md 6).
            patch_vary_headers(response, ["HX-Request", "HX-Target", "Accept-Language"])
            return response

        return guarded

    return decorate


def to_login(request: HttpRequest) -> HttpResponse:
    """Send a person to the login page; htmx is told with 401, so that no region swallows it.

    A region that pulled itself (`X-Background`, set by live.js) is only told: the page may hold
    something typed, so it says "Signed out" and offers the link.
    """
    if request.headers.get("X-Background"):
        return HttpResponse(status=401)
    htmx = getattr(request, "htmx", None)
    back = _page_of(htmx) if htmx else request.get_full_path()
    if not back or len(back) > MAX_BACK:
        back = "/"
    url = f"{resolve_url(settings.LOGIN_URL)}?{urlencode({'next': back})}"
    if htmx:
        return HttpResponse(status=401, headers={"HX-Redirect": url})
    return HttpResponseRedirect(url)


def _page_of(htmx: HtmxDetails) -> str | None:
    """Return the address of the page that asks, None when what it says is no address."""
    try:
        return htmx.current_url_abs_path
    except ValueError:
        return None
