from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.opamp.attributes import clean_words
from agents.opamp.opamp_pb2 import ComponentHealth
from agents.opamp.redact import Redactor
from agents.opamp.trees import health_tree

_REDACTOR = Redactor(b"key")
_NAMES = [
    *("password", "passwd", "passphrase", "token", "secret", "credential", "authorization"),
    *("api_key", "api-key", "apikey", "access_key", "private-key", "key_pem", "signingkey"),
    *("account_key", "cookie", "dsn", "connection_string", "headers", "Connect_Headers"),
]


@pytest.mark.parametrize("name", _NAMES)
@pytest.mark.parametrize("around", ["", "é"])
def test_a_secret_is_looked_for_whatever_its_case_and_the_alphabet(name: str, around: str) -> None:
    for written in (name, name.upper(), name.title()):
        assert _REDACTOR.may_hold_secret(f"{around}exporter:\n  {written}: abc\n")


@given(st.text(alphabet=st.sampled_from("paswortkenKEY_- :/@s\u017f\u212a\n"), max_size=30))
def test_what_the_search_passes_over_stays_as_it_is_line_by_line(text: str) -> None:
    if not _REDACTOR.may_hold_secret(text):
        assert _REDACTOR.redact(text) == text
        assert _REDACTOR.redact(f"{text}\nno_token_here: true") == f"{text}\nno_token_here: true"


LONG = 200_000


@pytest.mark.parametrize(
    "line",
    [
        "token" + " " * LONG,
        "a" * LONG + "@",
        "@ " + "a." * LONG,
        '{"token" ' + "a" * LONG,
        "token {" + '"' * LONG,
        'token {"a":' + '"\\' * LONG,
        "headers" + " " * LONG + '{"',
        "token: {" + "a b " * LONG,
        "- " * LONG + "token",
        "token {" + "headers:{" * LONG,
    ],
    ids=lambda line: line[:12].strip(),
)
def test_a_line_takes_time_in_proportion_to_its_length(line: str) -> None:
    # With its square, each would take minutes, and nobody else would be served meanwhile.
    started = time.perf_counter()
    _REDACTOR.redact(line)
    assert time.perf_counter() - started < 10


def test_a_plain_config_holds_no_secret() -> None:
    assert not _REDACTOR.may_hold_secret('receivers:\n  otlp: {endpoint: "0.0.0.0:4317"}\n')


def test_what_an_agent_says_of_its_errors_repeats_no_password() -> None:
    health = ComponentHealth(last_error="dial app:pw4Me@tcp(db)/x: refused")
    health.component_health_map["exporter:sql"].last_error = "bad dsn host=db password=pw4Me"
    assert "pw4Me" not in str(health_tree(health))
    assert clean_words("x" * 10 + " token=pw4Me", 14) == "x" * 10 + " to…"
