"""Keys whose signatures of configs are believed: a list, one to add, one to mark bad."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from accounts.models import Role
from accounts.policy import can, holders_of
from agents.actions.signing import mark_key_bad, trust_key
from agents.models import SignedVersion, SigningKey
from console.lib.problems import Problem
from console.pages.frame.forms import LineField, LongText, OneOf, PageForm
from console.pages.frame.needs import HtmxRequest, needs


class KeyForm(PageForm):
    """Believe a public key, or mark one bad."""

    act = OneOf(("bad",))
    name = LineField()
    public_key = LongText()
    key_id = LineField()
    reason = LineField()


@require_http_methods(["GET", "POST"])
@needs("configs.view")
def page(request: HtmxRequest) -> HttpResponse:
    """List the keys; add one or mark one bad."""
    form = KeyForm.sent(request)
    problem: Problem | None = None
    if request.method == "POST":
        try:
            messages.success(request, _change(request, form))
        except Problem as found:
            problem = found
        else:
            return HttpResponseRedirect(reverse("settings:signing-keys"), status=303)
    keys = SigningKey.objects.annotate(versions=Count("signed", filter=~Q(signed__signature="")))
    context = {
        "kind": "signing-keys",
        "rows": keys.order_by("bad_at", "-added_at"),
        "unsigned": SignedVersion.objects.filter(signature="").count(),
        "problem": problem,
        "given": form.typed,
        "may_write": can(request.actor, "signing_keys.write"),
        "holders": holders_of(Role.ADMIN),
    }
    status = problem.status if problem else 200
    return render(request, "settings/signing_keys.html", context, status=status)


def _change(request: HtmxRequest, form: KeyForm) -> str:
    asked = form.known()
    if asked["act"] == "bad":
        lost = mark_key_bad(kid=asked["key_id"], reason=asked["reason"], by=request.actor)
        return ngettext(
            "The key is believed no more. {n} version is signed again.",
            "The key is believed no more. {n} versions are signed again.",
            lost,
        ).format(n=lost)
    given = form.checked()
    trust_key(pem=given["public_key"], name=given["name"], by=request.actor)
    return _("Saved. It holds at once.")
