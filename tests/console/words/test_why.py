from __future__ import annotations

from console.words import why
from rollouts.engine.why import drafted, rolling_back


def test_each_tone_is_of_a_sentence() -> None:
    assert set(why.TONES) <= set(why.SAY)
    assert set(why.TONES.values()) <= {"run", "ok", "warn", "bad", "wait", "off"}


def test_the_tone_of_a_line_is_that_of_what_it_says() -> None:
    assert why.tone(drafted().to_dict()) == "off"
    assert why.tone(rolling_back(1, 2, "v1").to_dict()) == "bad"
    assert why.tone({}) == ""


def test_a_line_kept_before_it_was_a_text_names_its_own_tone() -> None:
    assert why.tone({"say": "Observing.", "next": "", "tone": "run"}) == "run"
