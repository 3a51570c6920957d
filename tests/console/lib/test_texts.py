from __future__ import annotations

import json

import pytest

from console.lib import texts
from console.lib.problems import FieldError, Invalid
from console.lib.texts import Text, also, from_json, in_line, register, said, spoken, text


@pytest.fixture(autouse=True)
def _tables_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "_sentences", {})
    register(
        {
            "busy": "{names} is busy with {count:,} agents.",
            "agents": lambda p: f"{p['count']:,} agent{'' if p['count'] == 1 else 's'}",
            "wait": "Wait for {who}.",
        }
    )


def test_a_text_is_said_with_its_parameters() -> None:
    assert said(text("busy", names=["R-1", "R-2"], count=1200)) == (
        "R-1, R-2 is busy with 1,200 agents."
    )


def test_texts_stand_in_texts() -> None:
    assert said(text("wait", who=text("agents", count=1))) == "Wait for 1 agent."


def test_a_code_without_a_sentence_is_not_left_unsaid() -> None:
    assert said(text("new_code", count=3)) == "new_code: count=3"


def test_a_template_never_reads_its_parameters_as_templates() -> None:
    assert said(text("wait", who="{who.__class__}")) == "Wait for {who.__class__}."


def test_a_kept_text_comes_back_the_same() -> None:
    what = text("wait", who=[text("agents", count=2), "x"])
    assert from_json(json.loads(json.dumps(what.to_json()))) == what


def test_two_sentences_for_one_code_are_refused() -> None:
    with pytest.raises(ValueError, match="busy"):
        register({"busy": "again"})


def test_a_problem_says_its_text_when_it_is_read() -> None:
    problem = Invalid("wait", who="R-3", errors=[FieldError("to", text("agents", count=2))])
    assert (problem.detail, problem.errors[0].message) == ("Wait for R-3.", "2 agents")
    assert str(problem) == "Wait for R-3.\nto: 2 agents"
    assert problem.says == Text("wait", {"who": "R-3"})


def test_what_a_row_keeps_is_spoken_wherever_a_text_stands_in_it() -> None:
    row = {"gates": [{"sentence": text("agents", count=2).to_json(), "value": 1}], "text": "plain"}
    assert spoken(row) == {"gates": [{"sentence": "2 agents", "value": 1}], "text": "plain"}


def test_several_are_said_in_turn() -> None:
    register({"value.also": "{one}; {other}", "value.then": "{one} {other}"})
    both: list[Text | str] = [text("agents", count=1), "", text("agents", count=2)]
    assert said(also(both)) == "1 agent; 2 agents"
    assert said(in_line(both)) == "1 agent 2 agents"
    assert also([]) == ""


def test_parameters_that_do_not_fit_are_shown() -> None:
    assert said(text("busy", count="many")) == "busy: count=many"
