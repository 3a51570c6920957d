"""How long a rollout takes, in words: `about 1 min 40 s, then an approval, then about 50 s`. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _

from console.words import times
from rollouts.drafts.expected import Spell


def expected(parts: Sequence[Spell]) -> str:
    """Say the times that pass by themselves and the approvals between them."""
    said: list[str] = []
    for part in parts:
        if part.asks:
            said.append(_("an approval"))
        if part.seconds:
            said.append(_("about %(span)s") % {"span": times.exact_span(part.seconds)})
    return _(", then ").join(said)
