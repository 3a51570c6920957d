"""Who the simulated agents are: the same seed and number always give the same agent."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

from agents.simulator.collector import COMPONENTS

# Shares in the order of a rollout: few canaries, some staging, mostly production.
_ENVS = (("canary", 0.05), ("staging", 0.20), ("prod", 0.75))
_REGIONS = (("eu-west", 0.4), ("us-east", 0.4), ("ap-south", 0.2))
_TIERS = (("gold", 0.2), ("silver", 0.5), ("bronze", 0.3))
_VERSIONS = (("0.149.0", 0.6), ("0.148.1", 0.3), ("0.146.1", 0.1))
_ARCHS = (("amd64", 0.7), ("arm64", 0.3))
# Time part of a version 7 uid: any fixed moment, so that a restart is the same fleet.
_UID_EPOCH_MS = 1_767_225_600_000


@dataclass(frozen=True, slots=True)
class Profile:
    """What one agent says about itself. `instance_uid` is 16 bytes (UUID version 7)."""

    index: int
    instance_uid: bytes
    identifying: dict[str, str]
    attributes: dict[str, str]
    components: dict[str, tuple[str, ...]]
    components_hash: bytes
    polls_http: bool


def make_fleet(count: int, seed: int, http_share: float) -> list[Profile]:
    """Return `count` profiles; a larger count keeps the first ones as they are."""
    return [make_profile(index, seed, http_share) for index in range(count)]


def make_profile(index: int, seed: int, http_share: float) -> Profile:
    """Return the agent number `index` of the fleet `seed`."""
    env = _pick(_ENVS, index, seed, "env")
    region = _pick(_REGIONS, index, seed, "region")
    uid = _instance_uid(index, seed)
    components = dict(COMPONENTS)
    version = _pick(_VERSIONS, index, seed, "version")
    if version == "0.146.1":
        # Older builds lack a component, so that selectors by capability have something to tell apart.
        components["processors"] = tuple(p for p in components["processors"] if p != "transform")
    return Profile(
        index=index,
        instance_uid=uid,
        identifying={
            "service.instance.id": _dashed(uid),
            "service.name": "otelcol-edge",
            "service.version": version,
        },
        attributes={
            "host.name": f"{region}-{env}-{index:05d}",
            "host.arch": _pick(_ARCHS, index, seed, "arch"),
            "os.type": "linux",
            "env": env,
            "region": region,
            "tier": _pick(_TIERS, index, seed, "tier"),
        },
        components=components,
        components_hash=hashlib.sha256(repr(sorted(components.items())).encode()).digest(),
        polls_http=draw(seed, index, "http") < http_share,
    )


def under_new_uid(profile: Profile, generation: int) -> Profile:
    """Return the same host and service with the uid it has after it was set up anew so often."""
    uid = _instance_uid(profile.index, generation, "set up anew")
    identifying = {**profile.identifying, "service.instance.id": _dashed(uid)}
    return replace(profile, instance_uid=uid, identifying=identifying)


def draw(seed: int, *about: object) -> float:
    """Return a number from 0 to 1 that depends on the arguments alone."""
    digest = hashlib.sha256(":".join(map(str, (seed, *about))).encode()).digest()
    return int.from_bytes(digest[:7]) / 2**56


def _pick(shares: tuple[tuple[str, float], ...], index: int, seed: int, about: str) -> str:
    left = draw(seed, index, about)
    for value, share in shares:
        left -= share
        if left < 0:
            return value
    return shares[-1][0]


def _instance_uid(index: int, seed: int, about: str = "uid") -> bytes:
    random_part = bytearray(hashlib.sha256(f"{seed}:{index}:{about}".encode()).digest()[:10])
    random_part[0] = 0x70 | random_part[0] & 0x0F
    random_part[2] = 0x80 | random_part[2] & 0x3F
    return (_UID_EPOCH_MS + index).to_bytes(6) + bytes(random_part)


def _dashed(uid: bytes) -> str:
    text = uid.hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
