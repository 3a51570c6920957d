"""A person's own settings: theme, time zone, keys, rows; and their sessions. Who they are comes from
elsewhere."""

from __future__ import annotations

import zoneinfo
from datetime import datetime, timedelta

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import HASH_SESSION_KEY
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.models import AuditEvent, Theme, User
from accounts.sessions import end_sessions
from console.pages.frame.needs import HtmxRequest, needs

MOST_SIGN_INS = 10


class ProfileForm(forms.ModelForm):  # type: ignore[type-arg]
    """Theme, time zone (empty: as the browser), single-key shortcuts, low rows."""

    class Meta:
        model = User
        fields = ("theme", "time_zone", "single_keys", "compact_rows")

    def clean_time_zone(self) -> str:
        name = str(self.cleaned_data["time_zone"]).strip()
        if name and name not in zoneinfo.available_timezones():
            raise forms.ValidationError(
                _(
                    "There is no time zone “%(name)s”. Write it like Europe/Berlin, or leave it empty."
                ),
                params={"name": name},
            )
        return name


@needs("agents.view")
def index(request: HtmxRequest) -> HttpResponse:
    """Open the first page."""
    return HttpResponseRedirect(reverse("settings:profile"))


@needs("agents.view")
@require_http_methods(["GET", "POST"])
def profile(request: HtmxRequest) -> HttpResponse:
    """Show the form, or store it and show the page again as it is now wanted."""
    form = ProfileForm(request.POST or None, instance=request.user)
    if request.method == "POST" and form.is_valid():
        user = form.save(commit=False)
        user.save(update_fields=[*ProfileForm.Meta.fields])
        messages.success(request, _("Profile saved."))
        return HttpResponseRedirect(reverse("settings:profile"), status=303)
    context = {
        "form": form,
        "themes": Theme.values,
        "zones": sorted(zoneinfo.available_timezones()),
        "session_life": timedelta(seconds=settings.SESSION_COOKIE_AGE),
        "sign_ins": _sign_ins(request.user, timezone.now()),
    }
    return render(request, "settings/profile.html", context, status=422 if form.errors else 200)


def _sign_ins(user: User, now: datetime) -> list[AuditEvent]:
    """Return the sign-ins whose sessions can still be open, newest first."""
    since = now - timedelta(seconds=settings.SESSION_COOKIE_AGE)
    found = AuditEvent.objects.filter(actor=user, act="login.ok", at__gte=since)
    return list(found.order_by("-pk")[:MOST_SIGN_INS])


@needs("agents.view")
@require_http_methods(["GET", "POST"])
def end_others(request: HtmxRequest) -> HttpResponse:
    """End every session of this person but the one that asks. Who comes by the address is shown where."""
    if request.method == "GET":
        return HttpResponseRedirect(reverse("settings:profile"))
    user = end_sessions(user=request.user, by=request.actor)
    request.session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    messages.success(request, _("Every other session of yours is over."))
    return HttpResponseRedirect(reverse("settings:profile"), status=303)


@needs("agents.view")
def shortcuts(request: HtmxRequest) -> HttpResponse:
    """List the keys."""
    return render(request, "help/shortcuts.html")
