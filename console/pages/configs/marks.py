"""What is known against a version, as pages mark it: in lists, heads, menus and the editor's base."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from rollouts.models import ConfigVersion
from rollouts.standing import Standing


@dataclass(frozen=True, slots=True)
class KnownBad:
    """One mark. `url` leads to the rollout or the quarantine it speaks of."""

    token: str
    icon: str
    text: str
    url: str = ""


def marks(standing: Standing) -> list[KnownBad]:
    """Return the marks of a version, the worst first; none when nothing is known against it."""
    found = []
    back, kept = standing.came_back, standing.quarantine
    if back is not None:
        says = (
            _("Rolled back in %(number)s, quarantined") if kept else _("Rolled back in %(number)s")
        )
        token, icon = ("bad", "octagon-x") if kept else ("warn", "undo")
        url = reverse("rollouts:detail", args=[back.pk])
        found.append(KnownBad(token, icon, says % {"number": back.number}, url))
    elif kept is not None:
        url = reverse("settings:quarantined", args=[kept.config_hash])
        found.append(KnownBad("bad", "octagon-x", _("Quarantined"), url))
    if standing.final:
        says = ngettext(
            "%(n)d error, cannot be rolled out",
            "%(n)d errors, cannot be rolled out",
            standing.errors,
        )
        found.append(KnownBad("bad", "octagon-x", says % {"n": standing.errors}))
    elif standing.errors:
        says = ngettext("%(n)d error", "%(n)d errors", standing.errors)
        found.append(KnownBad("bad", "octagon-x", says % {"n": standing.errors}))
    return found


def in_menu(standing: Standing) -> str:
    """Return the marks as the end of an option of a menu."""
    return " · ".join(mark.text for mark in marks(standing))


@dataclass(frozen=True, slots=True)
class Objection:
    """Why a version is not to be rolled out, and where that can be changed."""

    text: str
    url: str
    link: str


def objection(version: ConfigVersion, standing: Standing) -> Objection | None:
    """Return what stands against rolling a version out; None when nothing does."""
    number = f"v{version.number}"
    if standing.quarantine is not None:
        back = standing.came_back
        says = _("%(v)s is quarantined: it is offered to nobody until an approver lifts that.")
        if back is not None:
            says = _(
                "%(v)s was rolled back in %(number)s and is quarantined: it is offered to nobody "
                "until an approver lifts that."
            )
        given = {"v": number, "number": back.number if back else ""}
        url = reverse("settings:quarantined", args=[version.config_hash])
        return Objection(says % given, url, _("Quarantine"))
    if standing.final:
        says = ngettext(
            "%(v)s has %(n)d error: no collector can run it.",
            "%(v)s has %(n)d errors: no collector can run it.",
            standing.errors,
        )
        url = reverse("configs:version", args=[version.config.name, version.number])
        return Objection(says % {"v": number, "n": standing.errors}, f"{url}#h-checks", _("Checks"))
    return None
