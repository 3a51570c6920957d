from __future__ import annotations

import csv
import io

import pytest
from django.test import RequestFactory

from console.lib.web import csvs


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx"])
def test_a_formula_becomes_text(text: str) -> None:
    assert csvs.cell(text) == f"'{text}"


def test_nothing_is_an_empty_cell() -> None:
    assert csvs.cell(None) == ""


def test_rows_survive_commas_quotes_and_breaks() -> None:
    row = ['a,"b"', "c\nd", "采集器"]
    response = csvs.response(RequestFactory().get("/"), "x.csv", ["one", "two", "three"], [row])
    text = b"".join(response.streaming_content).decode()  # type: ignore[arg-type]
    assert list(csv.reader(io.StringIO(text))) == [["one", "two", "three"], row]
