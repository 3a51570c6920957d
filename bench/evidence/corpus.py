"""A seeded corpus of simulated rollouts for `bench.evidence`: who runs, what is wrong, how noisy it is.

Each case is a fleet of collectors with a load of their own, four regions, and one fault (or none) that
begins on an agent when it applies the new version. All cases share one model of a collector:

- CPU: a level per agent (log-normal, +-50 %), noise from minute to minute that lingers (AR(1), 0.7),
  a swing that all agents share (a busy hour), twice the CPU in the minute after a restart.
- Memory: 60 MB after a restart, filling by 30 MB within minutes (time constant 3 min), noise.
- Data: 600 to 6,000 items a minute, all sent on unless the fault says otherwise; 0.1 % retried.
- Latency: 100 requests a minute, log-normal around 10 to 22 ms.
- Error logs: one in a hundred agent minutes.

Nothing here reads a limit of the plan, and no limit is set per case. Sizes of faults are well beyond
the limits of the plan, as a fault worth catching is; how sure the evidence can be is what varies.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace

REGIONS = ("eu", "us", "ap", "sa")


@dataclass(frozen=True, slots=True)
class Fault:
    """What the new version does to an agent. Shares are of agents, rates per minute."""

    refuses: float = 0.0
    falls_back: float = 0.0
    vanishes: float = 0.0
    crashes: float = 0.0
    cpu: float = 1.0
    leak_bytes: float = 0.0
    latency_ms: float = 0.0
    drops: float = 0.0
    errors: float = 0.0
    falls_silent: bool = False
    region: str = ""

    def concerns(self, region: str) -> bool:
        return not self.region or region == self.region


NONE = Fault()


@dataclass(frozen=True, slots=True)
class Case:
    """One rollout. `noise` is the spread of CPU from minute to minute, `swing` that of the load that
    all agents share; `sends` is false for a fleet that has no own metrics at all. `ghosts` are agents
    of the selection that died before it. With `strangers` a Prometheus that also scrapes programs of
    others, which fail all the time, answers a trigger.
    """

    kind: str
    seed: int
    agents: int
    fault: Fault = NONE
    noise: float = 0.1
    swing: float = 0.05
    sends: bool = True
    ghosts: int = 0
    strangers: int = 0

    @property
    def is_bad(self) -> bool:
        return self.fault is not NONE and not self.fault.falls_silent


BAD = {
    "apply failures": Fault(refuses=0.3),
    "refuse all": Fault(refuses=1.0),
    "fall back": Fault(falls_back=0.4),
    "vanish": Fault(vanishes=0.4),
    "crash loop": Fault(crashes=0.4),
    "cpu +20 %": Fault(cpu=1.2),
    "leak": Fault(leak_bytes=4e6),
    "latency": Fault(latency_ms=150.0),
    "silent drop": Fault(drops=0.3),
    "error logs": Fault(errors=2.0),
    "one region": Fault(cpu=1.6, drops=0.5, region="ap"),
}


def corpus(count: int, seed: int) -> list[Case]:
    """Return `count` cases, the same for the same seed."""
    return [case for case, _ in zip(_cases(seed), range(count), strict=False)]


def _cases(seed: int) -> Iterator[Case]:
    rng = random.Random(seed)
    number = 0
    while True:
        for kind in _ROUND:
            number += 1
            yield _case(kind, rng, seed * 100_000 + number)


# A round: five good, the bad kinds (two of each), noisy, silent, tiny, with ghosts, among strangers.
_ROUND = (
    *(["good"] * 5),
    *BAD,
    *BAD,
    *("noisy", "silent", "tiny good", "tiny bad"),
    *("ghosts good", "ghosts bad", "strangers good", "strangers bad"),
)


def _case(kind: str, rng: random.Random, seed: int) -> Case:
    agents = rng.choice((20, 30, 40, 60))
    case = Case(kind, seed, agents, noise=rng.uniform(0.05, 0.15), swing=rng.uniform(0.0, 0.08))
    if kind in BAD:
        return replace(case, fault=BAD[kind])
    if kind == "noisy":
        return replace(case, noise=rng.uniform(0.3, 0.6), swing=rng.uniform(0.15, 0.3))
    if kind == "silent":
        has_past = rng.random() < 0.5
        return replace(case, fault=Fault(falls_silent=True) if has_past else NONE, sends=has_past)
    if kind == "tiny good":
        return replace(case, agents=rng.randint(3, 5))
    if kind == "tiny bad":
        fault = rng.choice([Fault(cpu=1.5), Fault(drops=0.5), Fault(refuses=1.0)])
        return replace(case, agents=rng.randint(3, 5), fault=fault)
    if kind.startswith("ghosts"):
        case = replace(case, ghosts=agents // rng.choice((1, 2, 4)))
    elif kind.startswith("strangers"):
        case = replace(case, strangers=rng.randint(1, 50))
    if kind.endswith(" bad"):
        fault = rng.choice([Fault(drops=0.5), Fault(refuses=0.5), Fault(falls_back=0.5)])
        return replace(case, fault=fault if case.ghosts else Fault(drops=0.5))
    return case


@dataclass(slots=True)
class Draw:
    """What one agent is like: fixed at its birth."""

    cpu: float
    per_min: float
    latency_ms: float
    sickness: float


def draw(rng: random.Random) -> Draw:
    """Return a collector: no two are alike."""
    return Draw(
        cpu=0.1 * math.exp(rng.gauss(0, 0.4)),
        per_min=math.exp(rng.uniform(math.log(600), math.log(6000))),
        latency_ms=rng.uniform(10, 22),
        sickness=rng.random(),
    )


def shared_load(case: Case, rng: random.Random) -> tuple[float, float]:
    """Return period (minutes) and phase of the swing that all agents of a case share."""
    return rng.uniform(60, 180), rng.uniform(0, 2 * math.pi)


def load_at(case: Case, minute: float, period: float, phase: float) -> float:
    """Return the shared load at a minute: 1 on average."""
    return 1 + case.swing * math.sin(2 * math.pi * minute / period + phase)
