"""What an agent that reports no status runs, by the effective config it shows."""

from __future__ import annotations

import pytest

from agents.opamp import bits
from agents.opamp.shown_config import ShownConfig, is_judged_by_it, what_runs
from agents.simulator.effective import effective

BASE = """
receivers: {otlp: {protocols: {grpc: {}}}}
exporters: {debug: {}}
service: {pipelines: {logs: {receivers: [otlp], exporters: [debug]}}}
"""
MORE = BASE.replace("debug: {}", "debug: {verbosity: normal}")
OTHER = BASE.replace("logs", "traces")
COMMENTED = f"# the same\n{BASE}"


def shows(text: str) -> str:
    return effective(text.encode()).decode()


def asked(*shown: str, running: str = "", desired: str = "", **candidates: str) -> str:
    return what_runs(ShownConfig(shown, candidates, running, desired))


def test_what_was_sent_is_found_in_what_is_shown() -> None:
    assert asked(shows(OTHER), old=BASE, new=OTHER, running="old", desired="new") == "new"


def test_the_old_one_is_found_while_it_runs_and_after_a_fall_back() -> None:
    assert asked(shows(BASE), old=BASE, new=OTHER, running="old", desired="new") == "old"
    assert asked(shows(BASE), old=BASE, new=OTHER, running="new", desired="new") == "old"


def test_the_one_that_says_more_is_the_one_that_runs() -> None:
    """BASE is contained in what MORE shows: taking a setting away is no proof by itself."""
    assert asked(shows(MORE), old=MORE, new=BASE, running="old", desired="new") == "old"
    assert asked(shows(MORE), old=BASE, new=MORE, running="old", desired="new") == "new"


def test_a_setting_taken_away_is_seen_when_it_is_gone() -> None:
    assert asked(shows(BASE), old=MORE, new=BASE, running="old", desired="new") == "new"


def test_a_config_with_the_same_meaning_runs_already() -> None:
    found = asked(shows(BASE), old=BASE, new=COMMENTED, running="old", desired="new")
    assert found == "new"


def test_a_change_that_cannot_be_seen_confirms_nothing() -> None:
    one = BASE.replace("debug: {}", "debug: {verbosity: '${env:A}'}")
    two = BASE.replace("debug: {}", "debug: {verbosity: '${env:B}'}")
    assert asked(shows(BASE), old=one, new=two, running="old", desired="new") == "old"
    assert asked(shows(BASE), old=one, new=two, desired="new") == ""


def test_none_of_them_is_nobody_knows() -> None:
    assert asked(shows(OTHER), old=BASE, new=MORE, running="old", desired="new") == ""
    assert asked("no: [yaml", old=BASE, running="old") == ""


def test_one_of_several_files_is_enough() -> None:
    assert asked("a: 1\n", shows(OTHER), new=OTHER, desired="new") == "new"


TOLD = bits.ACCEPTS_REMOTE_CONFIG | bits.REPORTS_EFFECTIVE_CONFIG


@pytest.mark.parametrize(
    ("capabilities", "is_judged"),
    [
        (TOLD, True),
        (TOLD | bits.REPORTS_REMOTE_CONFIG, False),
        (bits.ACCEPTS_REMOTE_CONFIG, False),
        (bits.REPORTS_EFFECTIVE_CONFIG, False),
        (0, False),
    ],
)
def test_who_is_judged_by_it(capabilities: int, is_judged: bool) -> None:
    assert is_judged_by_it(capabilities) is is_judged
