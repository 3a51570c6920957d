"""Sign in and sign out."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth import login as start_session
from django.contrib.auth import logout as end_session
from django.contrib.auth.forms import AuthenticationForm
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from accounts import audit
from accounts.actor import Actor
from accounts.models import AuditEvent
from console.pages import throttle
from console.pages.fleet import tour
from console.pages.frame.forms import LineField, PageForm


class _Sent(PageForm):
    """Who wants to sign in, and where they came from; the password is read by Django's form."""

    username = LineField(cut=150, strip=False)
    next = LineField()


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def login(request: HttpRequest) -> HttpResponse:
    """Show the form, or check name and password and go back to where the person came from."""
    back = _safe_next(request)
    if request.method == "GET":
        if request.user.is_authenticated:
            return HttpResponseRedirect(back)
        return _form(request, AuthenticationForm(request), back)
    username = _Sent(request.POST).known()["username"]
    address = request.META.get("REMOTE_ADDR", "")
    form = AuthenticationForm(request, data=request.POST)
    if throttle.is_throttled(username, address):
        _record("login.locked", username)
        return _form(request, form, back, status=429, locked=True)
    if not form.is_valid():
        throttle.record_failure(username, address)
        _record("login.failed", username)
        return _form(request, form, back, status=422)
    throttle.forget(username, address)
    start_session(request, form.get_user())
    _record("login.ok", username, form.get_user())
    return HttpResponseRedirect(back, status=303)


@require_POST
def logout(request: HttpRequest) -> HttpResponse:
    """End the session and show the login page."""
    if request.user.is_authenticated:
        _record("logout", request.user.get_username(), request.user)
    end_session(request)
    return HttpResponseRedirect(resolve_url(settings.LOGOUT_REDIRECT_URL), status=303)


def _safe_next(request: HttpRequest) -> str:
    """Return the page to go to: a local path only (security.md R41)."""
    wanted = _Sent(request.POST).known()["next"] or _Sent(request.GET).known()["next"]
    is_local = wanted.startswith("/") and url_has_allowed_host_and_scheme(
        wanted, allowed_hosts=None
    )
    return wanted if is_local else resolve_url(settings.LOGIN_REDIRECT_URL)


def _form(
    request: HttpRequest,
    form: AuthenticationForm,
    back: str,
    *,
    status: int = 200,
    locked: bool = False,
) -> HttpResponse:
    error = ""
    if locked:
        error = _("Too many failed attempts. Try again in 15 minutes, or ask an administrator.")
    elif form.is_bound:
        error = _("User name and password do not match. Both may be case-sensitive.")
    context = {
        "username": _Sent(request.POST).known()["username"],
        "error": error,
        "next": back,
        "demo": tour.kept_in() if settings.DEMO else "",
        "came_from": back != resolve_url(settings.LOGIN_REDIRECT_URL),
    }
    return render(request, "accounts/login.html", context, status=status)


def _record(act: str, username: str, user: object | None = None) -> None:
    actor = Actor(name=username or "-", kind=AuditEvent.ActorKind.HUMAN, user=user)  # type: ignore[arg-type]
    with transaction.atomic():
        audit.record(actor=actor, act=act, object_kind="session", object_id=username or "-")
