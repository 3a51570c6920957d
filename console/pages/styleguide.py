"""Every component in every state, for people who work on the console. Only with DEBUG."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from console.pages import words


def styleguide(request: HttpRequest) -> HttpResponse:
    """Show the tables of states and the components that take them."""
    return render(request, "styleguide.html", {"kinds": words.KINDS})
