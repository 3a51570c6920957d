"""The OpenAPI document and the page that shows it."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.views.decorators.http import require_GET

from console.pages.frame.needs import needs


@require_GET
@needs("agents.view")
def docs(request: HttpRequest) -> HttpResponse:
    """Show the API's documentation to whoever is signed in and may read anything."""
    return render(request, "api/docs.html", {"csrf_token": get_token(request)})
