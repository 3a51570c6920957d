"""Rollouts as rows: the list page and the overview."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from console.lib.texts import spoken
from console.pages.rollouts import phases
from console.words import states as words
from console.words import why
from rollouts.models import Phase, Rollout


@dataclass(frozen=True, slots=True)
class RolloutRow:
    """One rollout, ready to be drawn."""

    rollout: Rollout
    look: words.Look
    track: SafeString
    tone: words.Look
    says: str


TONES = {
    "run": words.Look("run", "arc", ""),
    "ok": words.Look("ok", "ok", ""),
    "warn": words.Look("warn", "triangle", ""),
    "bad": words.Look("bad", "octagon-x", ""),
    "wait": words.Look("wait", "hourglass", ""),
    "off": words.Look("off", "question", ""),
}


def mini_track(rollout: Rollout, steps: Sequence[Phase]) -> SafeString:
    """Draw the phases as bars side by side; their widths follow the share of agents."""
    return format_html_join(
        "",
        '<span class="g{}">{}</span>',
        ((view.grow, view.bar) for view in phases.views(rollout, steps)),
    )


def rows(rollouts: Sequence[Rollout]) -> list[RolloutRow]:
    """Return rows for rollouts read with `for_list()`; asks the database nothing more."""
    found = []
    for rollout in rollouts:
        steps = sorted(rollout.phases.all(), key=lambda phase: phase.index)
        look = phases.pill_look(rollout, steps)
        tone = TONES.get(why.tone(rollout.why or {}), TONES["off"])
        found.append(
            RolloutRow(
                rollout,
                look,
                mini_track(rollout, steps),
                words.Look(tone.token, look.icon, ""),
                spoken((rollout.why or {}).get("say", "")),
            )
        )
    return found
