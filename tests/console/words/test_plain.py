from __future__ import annotations

import pytest

from console.words.plain import first_line, plain


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("gw-eu1-0007", "gw-eu1-0007"),
        ("naïve 采集器 é", "naïve 采集器 é"),
        ("a\x1b[31mred", "a\\x1b[31mred"),
        ("evil\u202etxt.exe", "evil\\u202etxt.exe"),
        ("a\nb", "a\\nb"),
        ("zero\u200bwidth", "zero\\u200bwidth"),
    ],
)
def test_invisible_characters_become_visible(text: str, shown: str) -> None:
    assert plain(text) == shown


def test_long_text_is_cut_and_says_so() -> None:
    assert plain("x" * 2000) == "x" * 1024 + "…"


def test_lines_stay_in_code_blocks() -> None:
    assert plain("a:\n\tb\x07", keep_lines=True) == "a:\n\tb\\x07"


def test_the_first_line_skips_empty_ones() -> None:
    assert first_line("\n  \n unknown processor \n more") == "unknown processor"


def test_a_chain_of_errors_is_told_by_its_last_line() -> None:
    said = "failed to get config: the following error(s):\n\n'debug':\n\n'verbosity' unknown level"
    assert first_line(said) == "'verbosity' unknown level"
