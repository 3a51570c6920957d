"""docs/settings.md is what `console/settings.py` says."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.docs.settings import Variable, as_markdown, variables

ROOT = Path(__file__).resolve().parent.parent
SETTINGS = (ROOT / "console" / "settings.py").read_text()


def test_the_page_is_current() -> None:
    hint = "manage.py settings_page > docs/settings.md"
    assert (ROOT / "docs" / "settings.md").read_text() == as_markdown(SETTINGS), hint


def test_every_variable_is_on_the_page_once() -> None:
    names = [variable.name for variable in variables(SETTINGS)]
    assert len(names) == SETTINGS.count("env.") - SETTINGS.count("env.json")
    assert len(set(names)) == len(names) >= 27


def test_a_variable_is_read_with_its_section_comment_and_default() -> None:
    text = (
        "# --- Keys ----\n\n# The key\n# of all. Default: made anew.\n"
        'A = int(env.int("A", default=f()))\n# How many.\nB = env.list("B", default=["x", "y"])\n'
    )
    assert list(variables(text)) == [
        Variable("Keys", "A", "whole number", "made anew", "The key of all."),
        Variable("Keys", "B", "texts with commas between", "`x,y`", "How many."),
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('A = env.str("A", default="x")', "write a comment that explains A above line 1"),
        ('# Where.\nA = env.str("A", default=f())', 'end the comment of A with "Default: ..."'),
    ],
)
def test_a_variable_without_words_is_refused(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        list(variables(text))
