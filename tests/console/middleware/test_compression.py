"""Pages are sent compressed; what is streamed, and what no caller may guess from lengths, is not."""

from __future__ import annotations

import gzip
import re

import pytest
from django.test import Client

from tests.make.agents import make_fleet
from tests.make.people import sign_in

pytestmark = pytest.mark.django_db

GZIP = {"accept-encoding": "gzip"}
BUDGET = 15 * 1024  # bytes of a page over the wire (ui.md section 10)


def test_a_page_of_fifty_agents_is_small() -> None:
    make_fleet(60)
    answer = sign_in("vera", "viewer").get("/agents/", headers=GZIP)
    assert answer["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in answer["Vary"]
    assert len(answer.content) < BUDGET
    assert len(gzip.decompress(answer.content)) > 3 * len(answer.content)


def test_who_takes_no_gzip_gets_none() -> None:
    answer = sign_in("vera", "viewer").get("/agents/")
    assert "Content-Encoding" not in answer
    assert "Accept-Encoding" in answer["Vary"]


def test_what_is_streamed_leaves_as_it_is_made() -> None:
    make_fleet(60)
    answer = sign_in("vera", "viewer").get("/agents/export.csv", headers=GZIP)
    assert answer.streaming
    assert "Content-Encoding" not in answer


def test_no_secret_stands_twice_in_the_same_bytes() -> None:
    """BREACH compares lengths of answers that hold the same secret: ours hold it masked anew."""
    client = sign_in("vera", "viewer")
    pages = [client.get("/settings/profile/").content.decode() for _ in range(2)]
    tokens = [set(re.findall(r'(?:X-CSRFToken": "|value=")([A-Za-z0-9]{64})"', p)) for p in pages]
    assert tokens[0]
    assert not tokens[0] & tokens[1]
    key = client.cookies["tidegate_session_8080"].value if "tidegate_session_8080" in client.cookies else next(m.value for n, m in client.cookies.items() if "session" in n)  # fmt: skip
    assert key not in pages[0]


def test_two_answers_alike_differ_in_length() -> None:
    lengths = {len(Client().get("/login/", headers=GZIP).content) for _ in range(12)}
    assert len(lengths) > 3
