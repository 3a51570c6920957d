"""Approvals: what waits for this person, what waits for others, what was decided."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from console.pages.needs import HtmxRequest, needs


@require_GET
@needs("rollouts.view")
def inbox(request: HtmxRequest) -> HttpResponse:
    """Show the inbox."""
    return render(request, "approvals/inbox.html", {})
