"""What goes wrong in a simulated fleet, as asked on the command line. Times in seconds, shares 0..1."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from agents.simulator.profile import Profile, draw


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How the whole fleet behaves. Agents that misbehave are the same for the same seed."""

    seed: int = 1
    apply_delay_s: tuple[float, float] = (0.3, 1.5)
    fail_share: float = 0.0
    death_share: float = 0.0
    sick_share: float = 0.0
    sick_after_s: float = 2.0
    slow_share: float = 0.0
    slow_delay_s: float = 30.0
    # Only configurations that contain this text are met with faults; empty: all of them.
    faults_on: bytes = b""

    def concerns(self, files: Mapping[str, bytes]) -> bool:
        """Return whether the faults are meant for this configuration."""
        return any(self.faults_on in body for body in files.values())


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one agent does with one configuration that it has not run before."""

    delay_s: float
    refuses: bool
    dies: bool
    sickens_after_s: float | None


def without_faults(behaviour: Behaviour) -> Behaviour:
    """Return the same behaviour with nothing going wrong."""
    return replace(behaviour, fail_share=0.0, death_share=0.0, sick_share=0.0, slow_share=0.0)


def outcome(profile: Profile, config_hash: bytes, behaviour: Behaviour) -> Outcome:
    """Decide what happens; the same agent, hash and behaviour give the same answer."""
    seed, index = behaviour.seed, profile.index
    shortest, longest = behaviour.apply_delay_s
    delay_s = shortest + (longest - shortest) * draw(seed, index, "delay", config_hash.hex())
    if draw(seed, index, "slow") < behaviour.slow_share:
        delay_s = behaviour.slow_delay_s
    sickens = draw(seed, index, "sick") < behaviour.sick_share
    return Outcome(
        delay_s=delay_s,
        refuses=draw(seed, index, "fail") < behaviour.fail_share,
        dies=draw(seed, index, "death") < behaviour.death_share,
        sickens_after_s=behaviour.sick_after_s if sickens else None,
    )
