"""Forms of pages: values, sentences for what cannot be read, and nothing typed is lost."""

from __future__ import annotations

from datetime import time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django import forms
from django.http import QueryDict

from console.lib.problems import Invalid
from console.pages.frame.forms import (
    MAX_ID,
    Clock,
    Duration,
    Flag,
    LineField,
    Listed,
    LongText,
    Moment,
    NamedField,
    Number,
    OneOf,
    PageForm,
    ShareField,
    whole,
)


class Asked(PageForm):
    name = LineField(cut=5)
    text = LongText()
    count = Number(1, 9)
    span = Duration(needed="Say how long.")
    share = ShareField()
    at = Clock()
    view = OneOf(("split", "whole"), initial="whole")
    all = Flag()
    days = Listed(int)
    label = NamedField()


def asked(query: str) -> Asked:
    return Asked(QueryDict(query))


def test_each_field_reads_its_value() -> None:
    query = (
        "name=%20abcdefgh&text=a%0D%0A%20b%20&count=7&span=1h30m&share=10%25&at=18:00&view=split"
        "&all=1&days=0&days=6&label.env=prod&label.env=dev&label.a.b=c"
    )
    assert asked(query).checked() == {
        "name": "abcde",
        "text": "a\n b ",
        "count": 7,
        "span": timedelta(minutes=90),
        "share": 0.1,
        "at": time(18),
        "view": "split",
        "all": True,
        "days": [0, 6],
        "label": {"env": ["prod", "dev"], "a.b": ["c"]},
    }


def test_what_is_not_given_is_empty() -> None:
    known = asked("").known()
    assert (known["name"], known["text"], known["view"]) == ("", "", "whole")
    assert (known["count"], known["span"], known["share"], known["at"]) == (None,) * 4
    assert (known["all"], list(known["days"]), known["label"] or {}) == (False, [], {})


@pytest.mark.parametrize(
    ("query", "field", "words"),
    [
        ("span=1h&count=10", "count", "from 1 to 9"),
        ("span=1h&count=0", "count", "from 1 to 9"),
        ("span=1h&count=7x", "count", "whole number"),
        ("span=1h&count=1_0", "count", "whole number"),
        ("span=1h&count=%D9%A3", "count", "whole number"),
        ("span=1h&count=" + "9" * 5000, "count", "whole number"),
        ("", "span", "Say how long."),
        ("span=6", "span", "6m"),
        ("span=1h&share=ten", "share", "%"),
        ("span=1h&at=noon", "at", "18:00"),
        ("span=1h&at=18:00%2B02:00", "at", "local"),
        ("span=1h&name=a%00b", "name", "Null"),
    ],
)
def test_what_cannot_be_read_is_said_of_its_field(query: str, field: str, words: str) -> None:
    with pytest.raises(Invalid) as caught:
        asked(query).checked()
    (error,) = caught.value.errors
    assert error.path == field
    assert words in error.message
    assert caught.value.detail == error.message


def test_every_wrong_field_is_named_in_the_order_of_the_form() -> None:
    with pytest.raises(Invalid) as caught:
        asked("at=noon&count=x").checked()
    assert [error.path for error in caught.value.errors] == ["count", "span", "at"]


def test_an_address_that_cannot_be_read_asks_for_nothing() -> None:
    known = asked("count=x&view=sideways&days=0&days=Sunday&name=a%00").known()
    assert (known["count"], known["view"], known["days"], known["name"]) == (None, "whole", [0], "")


def test_what_was_typed_stays_right_or_wrong() -> None:
    typed = asked("count=x&span=6").typed
    assert (typed["count"], typed["span"], typed["view"], typed["name"]) == ("x", "6", "whole", "")


def test_a_moment_is_local_to_the_zone_of_who_writes() -> None:
    class Start(PageForm):
        at = Moment(ZoneInfo("Europe/Berlin"))

    assert (
        Start(QueryDict("at=2026-07-01T10:00")).known()["at"].isoformat()[:16] == "2026-07-01T08:00"
    )
    wrong = Start(QueryDict("at=2026-03-29T02:30")).wrong["at"]
    assert "skipped" in wrong
    assert wrong.endswith(".")


def test_a_rule_of_a_form_is_a_sentence_beside_its_field() -> None:
    class Ruled(Asked):
        def clean_name(self) -> str:
            raise forms.ValidationError("No.")

    with pytest.raises(Invalid) as caught:
        Ruled(QueryDict("span=1h")).checked()
    assert [(error.path, error.message) for error in caught.value.errors] == [("name", "No.")]


@pytest.mark.parametrize(
    ("text", "number"),
    [("0", 0), (str(MAX_ID), MAX_ID), ("²", None), ("-1", None), ("", None), ("1" * 20, None)],
)
def test_a_whole_number_is_ascii_digits(text: str, number: int | None) -> None:
    assert whole(text) == number
