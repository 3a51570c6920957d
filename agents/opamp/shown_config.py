"""Which config an agent runs, read from the effective config it shows. Pure.

For agents that report no status of a remote config: the effective config is their only word. What
is shown must contain what was sent (`containment.py`); where it contains more than one config that
the agent may run, the one that says most does. What proves nothing confirms nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agents.opamp import bits
from agents.opamp.containment import LIMITS, contains
from console.lib.yaml import load
from console.lib.yaml_scalars import YamlError

SOURCE = "effective config"


def is_judged_by_it(capabilities: int) -> bool:
    """Whether an agent takes configs, says nothing of them, and shows what it runs."""
    told = bits.ACCEPTS_REMOTE_CONFIG | bits.REPORTS_EFFECTIVE_CONFIG
    return capabilities & (told | bits.REPORTS_REMOTE_CONFIG) == told


@dataclass(frozen=True, slots=True)
class ShownConfig:
    """What an agent shows, and what it may run: hashes to texts. Hashes are lower-case hex.

    `shown` are the texts of its files. `running` is what it ran by its last word, `desired` what
    it should run; "" each when there is none.
    """

    shown: tuple[str, ...]
    candidates: Mapping[str, str]
    running: str
    desired: str


def what_runs(question: ShownConfig) -> str:
    """Return the hash of the config that runs, "" when it is none of them or nobody can tell.

    Texts of a megabyte take about a second: call it off the event loop.
    """
    texts = question.candidates
    held = [key for key, text in texts.items() if any(contains(text, s) for s in question.shown)]
    best = [key for key in held if not any(_says_more(texts[o], texts[key]) for o in held)]
    if len(best) == 1:
        return best[0]
    if question.desired in best and _mean_the_same([texts[key] for key in best]):
        return question.desired
    # One as likely as the other: nothing says that anything has changed.
    return question.running if question.running in best else ""


def _says_more(one: str, other: str) -> bool:
    return one != other and contains(other, one) and not contains(one, other)


def _mean_the_same(texts: Sequence[str]) -> bool:
    """Whether they differ in comments, order and spelling only."""
    try:
        first, *others = (load(text, limits=LIMITS).data for text in texts)
    except YamlError:
        return False
    return all(other == first for other in others)
