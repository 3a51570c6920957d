from __future__ import annotations

import pytest

from console.pages.plans.record import record_of
from rollouts.analysis.backtest import Compared, PastRollout, Would
from rollouts.analysis.backtest import Result as Outcome
from rollouts.engine.states import RolloutState
from tests.make.people import sign_in
from tests.rollouts.analysis.test_past import finished


def one(state: str, would: Would, compared: Compared = Compared.SAME) -> Outcome:
    return Outcome(PastRollout(1, "R-0001", RolloutState(state), ()), would, compared)


def test_bad_and_good_changes_are_counted_apart_and_the_unmeasured_in_neither() -> None:
    found = record_of(
        [
            *(one("rolled_back", Would.ROLL_BACK) for _ in range(7)),
            one("rollback_incomplete", Would.GO_ON, Compared.LETS_THROUGH),
            one("succeeded", Would.HOLD, Compared.STOPS_MORE),
            *(one("succeeded", Would.GO_ON) for _ in range(22)),
            one("rolled_back", Would.UNKNOWN, Compared.UNKNOWN),
        ]
    )
    assert (len(found.caught), found.bad) == (7, 8)
    assert (len(found.stopped), found.good) == (1, 23)
    assert found.unknown == 1


@pytest.mark.django_db
def test_the_sentence_is_asked_after_the_page() -> None:
    finished()
    client = sign_in("vera", "viewer")
    assert 'hx-get="/plans/standard/record/"' in client.get("/plans/standard/").content.decode()
    assert client.get("/plans/standard/record/").status_code == 200
