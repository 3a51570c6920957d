from __future__ import annotations

import pytest

from rollouts.models import Plan
from tests.make.people import sign_in
from tests.rollouts.analysis.test_past import finished

pytestmark = pytest.mark.django_db

URL = "/plans/standard/backtest/"
STRICT = "thresholds: {failure_rate: {critical: 5%}}"


def test_the_plan_page_leads_to_the_back_test() -> None:
    answer = sign_in("vera", "viewer").get("/plans/standard/")
    assert f'href="{URL}"' in answer.content.decode()


def test_the_saved_plan_is_run_at_once() -> None:
    rollout = finished()
    text = sign_in("vera", "viewer").get(URL).content.decode()
    assert rollout.number in text
    assert "not measured then" in text


def test_a_changed_text_is_run_and_not_saved() -> None:
    finished()
    before = Plan.objects.get(name="standard").text
    answer = sign_in("vera", "viewer").post(URL, {"text": STRICT, "last": "10"})
    text = answer.content.decode()
    assert "would roll back in canary" in text
    assert "nothing stopped it then" in text
    assert Plan.objects.get(name="standard").text == before


def test_a_wrong_text_comes_back_with_its_errors() -> None:
    answer = sign_in("vera", "viewer").post(URL, {"text": "thresholds: {failure_rate: {}}"})
    assert answer.status_code == 422
    assert "has no level" in answer.content.decode()


def test_without_past_rollouts_the_page_says_so() -> None:
    text = sign_in("vera", "viewer").get(URL).content.decode()
    assert "No rollout is over yet" in text


def test_a_plan_that_is_not_there_is_not_found() -> None:
    assert sign_in("vera", "viewer").get("/plans/nothing/backtest/").status_code == 404
