"""When certificates are renewed, with a clock that is given (SEC-18; security.md R27)."""

from __future__ import annotations

import random
import uuid
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certs.rotation.facts import RotationRules
from certs.rotation.schedule import (
    BadRules,
    Validity,
    check_rules,
    is_far_too_short,
    least_between,
    renewal_at,
)

NOW = datetime(2026, 6, 1, tzinfo=UTC)
RULES = RotationRules()
HOUR = timedelta(hours=1)
SPREAD = random.Random(7)


def uid() -> uuid.UUID:
    return uuid.UUID(int=SPREAD.getrandbits(128), version=4)


def valid(hours: float, begins: datetime = NOW) -> Validity:
    return Validity(begins, begins + timedelta(hours=hours))


def test_sec_18_ten_thousand_agents_of_one_hour_are_renewed_spread_out() -> None:
    due = [
        renewal_at(valid(720, NOW + HOUR * (number / 10_000)), uid(), RULES)
        for number in range(10_000)
    ]
    assert max(due) - min(due) > 40 * HOUR
    per_hour = Counter(int((at - min(due)) / HOUR) for at in due)
    assert max(per_hour.values()) < 400


def test_an_agent_is_due_at_the_same_point_each_time() -> None:
    one = uid()
    first = renewal_at(valid(720), one, RULES)
    later = renewal_at(valid(720, NOW + 500 * HOUR), one, RULES)
    assert later - first == 500 * HOUR


@given(st.integers(0, 2**128 - 1), st.floats(24, 20_000))
def test_renewal_leaves_three_quarters_of_its_window(number: int, hours: float) -> None:
    found = valid(hours)
    at = renewal_at(found, uuid.UUID(int=number), RULES)
    window = min(RULES.renewal_threshold, found.lifetime / 3)
    assert found.not_after - window <= at
    assert at <= found.not_after - window * 0.74


@pytest.mark.parametrize("hours", [1, 6, 23])
def test_sec_18_an_issuer_that_shortens_lifetimes_makes_no_loop(hours: float) -> None:
    """A certificate that would be renewed without end is not taken in the first place."""
    assert is_far_too_short(valid(hours), NOW, RULES)


def test_what_was_meant_to_be_short_is_taken_and_renewed_before_its_end() -> None:
    rules = RotationRules(lifetime=HOUR, renewal_threshold=timedelta(minutes=20))
    assert not is_far_too_short(valid(1), NOW, rules)
    at = renewal_at(valid(1), uid(), rules)
    assert NOW + timedelta(minutes=39) < at < NOW + timedelta(minutes=46)


@given(st.floats(24, 9_000), st.floats(1, 9_000))
def test_sec_18_between_two_renewals_lies_the_least_time_and_an_end_after_it(
    given_h: float, asked_h: float
) -> None:
    rules = RotationRules(lifetime=timedelta(hours=asked_h))
    found = valid(given_h)
    at = renewal_at(found, uid(), rules)
    assert (
        at - found.not_before >= least_between(found, rules) >= min(12 * HOUR, rules.lifetime / 4)
    )
    assert at < found.not_after


@pytest.mark.parametrize(("lifetime_h", "threshold_h"), [(168, 168), (24, 168)])
def test_a_threshold_that_leaves_no_life_is_refused(lifetime_h: float, threshold_h: float) -> None:
    rules = RotationRules(
        lifetime=timedelta(hours=lifetime_h), renewal_threshold=timedelta(hours=threshold_h)
    )
    with pytest.raises(BadRules, match=f"{threshold_h} h"):
        check_rules(rules)
    check_rules(RULES)
