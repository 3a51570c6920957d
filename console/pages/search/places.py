"""Pages that search finds by name or by what they are for."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _l

from console.pages.frame.context import AREAS

# label, icon, route, other words that mean it
MORE: tuple[tuple[Promise, str, str, Promise], ...] = (
    (_l("What needs you"), "nav-overview", "fleet:needs", _l("acknowledge, waiting, alerts")),
    (_l("New rollout"), "plus", "rollouts:new", _l("start, deploy, roll out")),
    (_l("Rollbacks"), "undo", "rollbacks:list", _l("roll back, stragglers, way back")),
    (_l("New rollback"), "undo", "rollbacks:new", _l("roll back agents by selector")),
    (_l("Plans"), "nav-rollouts", "plans:list", _l("phases, criteria, gates, back-test")),
    (_l("New plan"), "plus", "plans:new", _l("phases, criteria, gates")),
    (_l("New config version"), "plus", "configs:upload", _l("upload, edit, write")),
    (_l("Quarantine"), "lock", "settings:quarantine", _l("lift, bad versions, settings")),
    (_l("Freeze windows"), "lock", "settings:freeze", _l("maintenance, settings")),
    (_l("Budgets"), "lock", "settings:budgets", _l("how many at once, settings")),
    (_l("Guards"), "lock", "settings:guards", _l("environments, thresholds, settings")),
    (_l("Retirement"), "lock", "settings:retirement", _l("agents that are gone, settings")),
    (_l("Signing keys"), "key", "settings:signing-keys", _l("signatures of configs, settings")),
    (_l("Refused agents"), "nav-agents", "agents:refused", _l("door, credentials, sign-in")),
    (
        *(_l("Profile"), "person", "settings:profile"),
        _l("theme, dark, light, time zone, keys, shortcuts, compact rows, sessions, settings"),
    ),
    (_l("Help and shortcuts"), "help", "help:shortcuts", _l("keys, selectors, syntax")),
    (_l("Metrics"), "help", "help:metrics", _l("gates, criteria, PromQL")),
    (_l("REST API"), "help", "api-docs", _l("documentation, OpenAPI, scripts, token")),
)
PLACES: tuple[tuple[str | Promise, str, str, str | Promise], ...] = (
    *((label, icon, route, "") for label, icon, route, _prefixes, _area in AREAS),
    *MORE,
)


def found(wanted: str) -> list[tuple[str, str, str]]:
    """Return (label, icon, route) of the pages that all words of a query mean."""
    asked = wanted.casefold().split()
    return [
        (str(label), icon, route)
        for label, icon, route, meant in PLACES
        if asked and all(one in f"{label} {meant}".casefold() for one in asked)
    ]
