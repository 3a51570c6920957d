"""What goes wrong in a simulated fleet, as asked on the command line. Times in seconds, shares 0..1.

A trait is what an agent is, whatever it is given; every other fault is met by configurations that
the agent has not run well before. Which agents have a fault depends on seed and number alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from agents.simulator.profile import Profile, draw


class Fault(StrEnum):
    """A way to misbehave; the value names its options: `--VALUE-share`, `--VALUE-after`."""

    SLOW = "slow"
    FAIL = "fail"
    DEATH = "death"
    SILENT = "silent"
    WEDGED = "wedged"
    SICK = "sick"
    FLAP = "flap"
    CRASH = "crash"
    FALL_BACK = "fall-back"
    VANISH = "vanish"
    LOSE_STORAGE = "lose-storage"
    RE_IMAGED = "re-imaged"
    EFFECTIVE_ONLY = "effective-only"
    NO_HEARTBEAT = "no-heartbeat"


MEANINGS: Mapping[Fault, str] = {
    Fault.SLOW: "apply slowly",
    Fault.FAIL: "report FAILED and keep the old one",
    Fault.DEATH: "fall silent when offered it, the connection stays open",
    Fault.SILENT: "say nothing about it and keep the old one",
    Fault.WEDGED: "report FAILED for it and for every other from then on",
    Fault.SICK: "turn unhealthy and stay so",
    Fault.FLAP: "turn unhealthy and healthy by turns",
    Fault.CRASH: "crash when it has run well for a while",
    Fault.FALL_BACK: "report APPLIED, then go back and report the old one APPLIED",
    Fault.VANISH: "report APPLIED, then lose the connection for ever",
    Fault.LOSE_STORAGE: "report APPLIED, then come back and know of no configuration",
    Fault.RE_IMAGED: "report APPLIED, then come back on the same host under a new uid, once",
    Fault.EFFECTIVE_ONLY: "always: report no status, only the effective configuration",
    Fault.NO_HEARTBEAT: "always: promise no heartbeats and send none over a WebSocket",
}
TRAITS = frozenset({Fault.EFFECTIVE_ONLY, Fault.NO_HEARTBEAT})
# When a fault strikes, counted from APPLIED. For FLAP also how long each turn takes.
AFTER_S: Mapping[Fault, float] = {
    Fault.SICK: 2.0,
    Fault.FLAP: 2.0,
    # Longer than the grace in which a rollout overlooks an agent's health.
    Fault.CRASH: 20.0,
    Fault.FALL_BACK: 2.0,
    Fault.VANISH: 1.0,
    Fault.LOSE_STORAGE: 2.0,
    Fault.RE_IMAGED: 2.0,
}


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How the whole fleet behaves. Agents that misbehave are the same for the same seed."""

    seed: int = 1
    apply_delay_s: tuple[float, float] = (0.3, 1.5)
    slow_delay_s: float = 30.0
    shares: Mapping[Fault, float] = field(default_factory=dict)
    after_s: Mapping[Fault, float] = field(default_factory=dict)
    # Only configurations that contain this text are met with faults; empty: all of them.
    faults_on: bytes = b""

    def concerns(self, files: Mapping[str, bytes]) -> bool:
        """Return whether the faults are meant for this configuration."""
        return any(self.faults_on in body for body in files.values())

    def has(self, profile: Profile, fault: Fault) -> bool:
        """Return whether this agent is one of those with the fault."""
        return draw(self.seed, profile.index, fault.value) < self.shares.get(fault, 0.0)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one agent does with one configuration that it has not run well before.

    `strikes` happens `after_s` after APPLIED; an agent with several such faults has the first.
    """

    delay_s: float
    faults: frozenset[Fault]
    strikes: Fault | None
    after_s: float


def without_faults(behaviour: Behaviour) -> Behaviour:
    """Return the same behaviour with nothing going wrong but what the agents are by nature."""
    return replace(behaviour, shares={f: s for f, s in behaviour.shares.items() if f in TRAITS})


def outcome(profile: Profile, config_hash: bytes, behaviour: Behaviour) -> Outcome:
    """Decide what happens; the same agent, hash and behaviour give the same answer."""
    shortest, longest = behaviour.apply_delay_s
    spread = draw(behaviour.seed, profile.index, "delay", config_hash.hex())
    faults = frozenset(fault for fault in behaviour.shares if behaviour.has(profile, fault))
    strikes = next((fault for fault in AFTER_S if fault in faults), None)
    return Outcome(
        delay_s=behaviour.slow_delay_s
        if Fault.SLOW in faults
        else shortest + (longest - shortest) * spread,
        faults=faults,
        strikes=strikes,
        after_s=behaviour.after_s.get(strikes, AFTER_S[strikes]) if strikes else 0.0,
    )
