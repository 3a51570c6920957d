from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tests.rollouts.analysis.test_past import finished

STRICT = "thresholds: {failure_rate: {critical: 5%}}\n"

pytestmark = pytest.mark.django_db


@pytest.fixture
def strict(tmp_path: Path) -> str:
    path = tmp_path / "strict.yaml"
    path.write_text(STRICT)
    return str(path)


def backtest(*arguments: str) -> str:
    out = io.StringIO()
    call_command("backtest", "-f", *arguments, stdout=out)
    return out.getvalue()


def test_a_line_per_rollout_says_what_would_have_been(strict: str) -> None:
    rollout = finished()
    line = backtest(strict)
    assert line.startswith(f"{rollout.number}  succeeded: would roll back in canary, 2026-11-01")
    assert "nothing stopped it then" in line


def test_json_is_one_object(strict: str) -> None:
    rollout = finished()
    [found] = json.loads(backtest(strict, "--json", "--last", "5"))["rollouts"]
    assert found["number"] == rollout.number
    assert (found["would"], found["compared"]) == ("roll_back", "stops_more")
    assert found["gate"] == "threshold:failure_rate"


def test_one_rollout_is_asked_for_by_its_number(strict: str) -> None:
    first = finished()
    finished()
    assert backtest(strict, "--rollout", first.number).count("\n") == 1


def test_nothing_to_test_is_said(strict: str) -> None:
    assert backtest(strict) == "No rollout is over yet.\n"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--rollout", "R-9999"), "There is no rollout R-9999"),
        (("--rollout", "x"), "write it as R-0042"),
        (("--last", "0"), "write 1 or more"),
    ],
)
def test_a_wrong_rollout_is_refused(strict: str, arguments: tuple[str, ...], says: str) -> None:
    with pytest.raises(CommandError, match=says):
        backtest(strict, *arguments)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("thresholds: {failure_rate: {critical: 5}}", "plan.yaml:1: "),
        ("bake: 5m", "nothing would be tested"),
        ("", "one plan is expected"),
    ],
)
def test_a_wrong_file_is_refused_with_its_place(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text(text)
    with pytest.raises(CommandError, match=says):
        backtest(str(path))


def test_a_file_that_is_not_there_is_refused() -> None:
    with pytest.raises(CommandError, match="No such file"):
        backtest("/nowhere/plan.yaml")
