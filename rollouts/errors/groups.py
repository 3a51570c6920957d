"""What agents said, in groups: the same fault said by many is one thing to read. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from console.lib.texts import Text, from_column
from rollouts.engine.states import FAILED_TARGETS
from rollouts.errors.mentions import component_of
from rollouts.errors.wording import shape_of

# How agents fail: as a target of a rollout, or by falling ill on the version.
KINDS = (*sorted(state.value for state in FAILED_TARGETS), "unhealthy")
MAX_GROUPS = 10
MAX_SAMPLES = 5


@dataclass(frozen=True, slots=True)
class Example:
    """An agent, to be named as an example."""

    uid: str
    name: str


@dataclass(frozen=True, slots=True)
class Said:
    """One text as so many agents of one version and region have said it, or as we say it of them.

    `kind` is how they failed: `failed` (refused), `timed_out`, `fell_back`, `lost` or `unhealthy`.
    `text` is the agent's own words, or a kept text of ours (`console.lib.texts.to_column`).
    """

    kind: str
    text: str
    version: str
    region: str
    agents: int
    samples: tuple[Example, ...]


@dataclass(frozen=True, slots=True)
class HeldBy:
    """How many agents of a group have a value; "" stands for those without one."""

    value: str
    agents: int


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. `text` is the wording that most agents used, `wordings` how many there are;
    `component` what it is about, as `exporter otlp/eu`; shares are the largest first."""

    kind: str
    text: Text | str
    component: str
    agents: int
    wordings: int
    versions: tuple[HeldBy, ...]
    regions: tuple[HeldBy, ...]
    samples: tuple[Example, ...]

    @property
    def is_silent(self) -> bool:
        """Whether the agents refused without a word."""
        return isinstance(self.text, Text)


@dataclass(frozen=True, slots=True)
class Faults:
    """All of them, the largest first. `agents` is everybody that failed; `more` are agents in groups
    that are left out, or whose text was not read because there were too many."""

    groups: tuple[Fault, ...]
    agents: int
    more: int

    def __bool__(self) -> bool:
        return bool(self.groups)


NOBODY = Faults((), 0, 0)
NOTHING_SAID = Text("target.no_reason")


def group(rows: Iterable[Said], *, agents: int | None = None) -> Faults:
    """Group the texts; `agents` is how many there are in all, where `rows` does not hold them all."""
    kept: dict[tuple[str, str, str], list[Said]] = {}
    for row in rows:
        text = _text_of(row)
        key = (text.code, "") if isinstance(text, Text) else (shape_of(text), component_of(text))
        kept.setdefault((row.kind, *key), []).append(row)
    groups = sorted(
        (_group(key, alike) for key, alike in kept.items()), key=lambda one: -one.agents
    )
    shown = tuple(groups[:MAX_GROUPS])
    total = max(sum(one.agents for one in groups), agents or 0)
    return Faults(shown, total, total - sum(one.agents for one in shown))


def _text_of(row: Said) -> Text | str:
    """Return the text; a refusal without a word is one of ours."""
    text = from_column(row.text)
    return NOTHING_SAID if isinstance(text, str) and not text.strip() else text


def _group(key: tuple[str, str, str], alike: Sequence[Said]) -> Fault:
    wordings: Counter[str] = Counter()
    for row in alike:
        wordings[row.text] += row.agents
    most = min(wordings, key=lambda text: (-wordings[text], text))
    samples = [member for row in alike for member in row.samples]
    return Fault(
        kind=key[0],
        text=_text_of(next(row for row in alike if row.text == most)),
        component=key[2],
        agents=sum(row.agents for row in alike),
        wordings=len(wordings),
        versions=_shares((row.version, row.agents) for row in alike),
        regions=_shares((row.region, row.agents) for row in alike),
        samples=tuple(samples[:MAX_SAMPLES]),
    )


def _shares(counted: Iterable[tuple[str, int]]) -> tuple[HeldBy, ...]:
    counts: Counter[str] = Counter()
    for value, agents in counted:
        counts[value] += agents
    return tuple(
        HeldBy(v, n) for v, n in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    )
