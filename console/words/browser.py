"""The words that scripts of the pages write by themselves; `templates/_head.html` hands them over."""

from __future__ import annotations

from django.utils.translation import gettext as _

from console.words import times


def words() -> dict[str, object]:
    """Return them by name, in the language that is active now."""
    return {**times.for_browser(), "copied": _("Copied"), "signIn": _("Sign in")}
