"""A person's own settings: theme and time zone. Who they are comes from elsewhere."""

from __future__ import annotations

import zoneinfo

from django import forms
from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.models import Theme, User
from console.pages.frame.needs import HtmxRequest, needs


class ProfileForm(forms.ModelForm):  # type: ignore[type-arg]
    """Theme and time zone; an empty zone lets the browser decide."""

    class Meta:
        model = User
        fields = ("theme", "time_zone")

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
    """Open the first tab."""
    return HttpResponseRedirect(reverse("settings:profile"))


@needs("agents.view")
@require_http_methods(["GET", "POST"])
def profile(request: HtmxRequest) -> HttpResponse:
    """Show the form, or store it and show the page again in the new theme."""
    form = ProfileForm(request.POST or None, instance=request.user)
    if request.method == "POST" and form.is_valid():
        user = form.save(commit=False)
        user.save(update_fields=["theme", "time_zone"])
        messages.success(request, _("Profile saved."))
        return HttpResponseRedirect(reverse("settings:profile"), status=303)
    zones = sorted(zoneinfo.available_timezones())
    context = {"form": form, "themes": Theme.values, "zones": zones}
    return render(request, "settings/profile.html", context, status=422 if form.errors else 200)


@needs("agents.view")
def shortcuts(request: HtmxRequest) -> HttpResponse:
    """List the keys."""
    return render(request, "help/shortcuts.html")
