from __future__ import annotations

import uuid

from agents.simulator.faults import Behaviour, Fault, outcome
from agents.simulator.profile import make_fleet


def test_the_same_seed_is_the_same_fleet() -> None:
    assert make_fleet(50, 7, 0.1) == make_fleet(50, 7, 0.1)


def test_another_seed_is_another_fleet() -> None:
    one = {profile.instance_uid for profile in make_fleet(50, 1, 0.1)}
    two = {profile.instance_uid for profile in make_fleet(50, 2, 0.1)}
    assert not one & two


def test_a_larger_fleet_keeps_the_first_agents() -> None:
    assert make_fleet(80, 1, 0.1)[:50] == make_fleet(50, 1, 0.1)


def test_uids_are_distinct_version_7() -> None:
    uids = [uuid.UUID(bytes=profile.instance_uid) for profile in make_fleet(500, 1, 0.1)]
    assert len(set(uids)) == 500
    assert {uid.version for uid in uids} == {7}


def test_every_environment_has_agents() -> None:
    envs = {profile.attributes["env"] for profile in make_fleet(200, 1, 0.1)}
    assert envs == {"canary", "staging", "prod"}


def test_the_http_share_is_about_what_was_asked() -> None:
    polling = sum(profile.polls_http for profile in make_fleet(1000, 1, 0.2))
    assert 150 < polling < 250


def test_the_fail_share_names_the_same_agents_again() -> None:
    fleet = make_fleet(200, 1, 0.0)
    behaviour = Behaviour(shares={Fault.FAIL: 0.3})
    first = [Fault.FAIL in outcome(profile, b"\1" * 32, behaviour).faults for profile in fleet]
    second = [Fault.FAIL in outcome(profile, b"\2" * 32, behaviour).faults for profile in fleet]
    assert first == second
    assert 30 < sum(first) < 90


def test_a_fleet_without_faults_only_waits() -> None:
    result = outcome(make_fleet(1, 1, 0.0)[0], b"\1" * 32, Behaviour(apply_delay_s=(0.5, 1.0)))
    assert 0.5 <= result.delay_s <= 1.0
    assert not result.faults
    assert result.strikes is None
