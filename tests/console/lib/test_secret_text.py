from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.opamp.redact import Redactor
from console.lib.secret_text import hide_secrets, secrets_in
from console.lib.yaml import load
from rollouts.configs.secrets import literal_secrets

REDACTOR = Redactor(b"k" * 32)
# A value under a key that says nothing, the secret in it, and what the value is after hiding.
HELD = [
    ("app:pw4Me@tcp(10.0.0.1:3306)/db", "pw4Me", "app:[REDACTED]@tcp(10.0.0.1:3306)/db"),
    ("app:pw4Me@db.example:5432/x", "pw4Me", "app:[REDACTED]@db.example:5432/x"),
    ("app:pa:ss@db", "pa:ss", "app:[REDACTED]@db"),
    ("postgres://app:pw4Me@db/x", "pw4Me", "postgres://app:[REDACTED]@db/x"),
    ("redis://:pw4Me@db:6379", "pw4Me", "redis://:[REDACTED]@db:6379"),
    ("host=db user=app password=pw4Me dbname=x", "pw4Me", None),
    ("host=db password='pw 4 Me' dbname=x", "pw 4 Me", None),
    ("Server=db;Uid=app;Pwd=pw4Me;", "pw4Me", "Server=db;Uid=app;Pwd=[REDACTED];"),
    ("Server=db;User ID=app;Password = pw4Me;", "pw4Me", None),
    ("https://x.example/?access_token=pw4Me&a=b", "pw4Me", None),
    ("https://x.blob.example/c?sv=1&sig=pw4Me%3D", "pw4Me%3D", None),
    ("Endpoint=sb://x/;SharedAccessKeyName=n;SharedAccessKey=pw4Me", "pw4Me", None),
    ("DefaultEndpointsProtocol=https;AccountName=n;AccountKey=pw4Me==", "pw4Me==", None),
    ("client_secret=pw4Me", "pw4Me", "client_secret=[REDACTED]"),
    ("Authorization: Bearer abc123def456", "abc123def456", None),
    ("curl -H 'Authorization: Basic YXBwOnB3NE1l'", "YXBwOnB3NE1l", None),
    ("Splunk 0f1e2d3c-aaaa", "0f1e2d3c-aaaa", "Splunk [REDACTED]"),
    ("use AKIAABCDEFGHIJKLMNOP", "AKIAABCDEFGHIJKLMNOP", "use [REDACTED]"),
    ("ghp_" + "a" * 36, "ghp_" + "a" * 36, "[REDACTED]"),
    ("xoxb-1234567890-abc", "xoxb-1234567890-abc", "[REDACTED]"),
]


@pytest.mark.parametrize(("value", "secret", "hidden"), HELD, ids=[value for value, *_ in HELD])
def test_a_secret_inside_a_value_is_found_and_hidden(
    value: str, secret: str, hidden: str | None
) -> None:
    assert secret not in hide_secrets(value)
    assert hidden is None or hide_secrets(value) == hidden
    text = f'receivers:\n  sql:\n    datasource: "{value}"\n'
    ((line, says),) = literal_secrets(load(text))
    assert (line, secret in str(says)) == (3, False)
    for written in (text, f'{{"datasource": "{value}"}}', f"error: cannot reach {value}"):
        assert REDACTOR.may_hold_secret(written)
        assert secret not in REDACTOR.redact(written)


NOTHING = [
    "app:${env:PW}@tcp(db)/x",
    "postgres://app:${env:PW}@db/x",
    "host=db password=${env:PW} dbname=x",
    "Authorization: Bearer ${env:TOKEN}",
    "image:tag@sha256:0123456789abcdef",
    "mailto:ops@example.com",
    "ops@example.com",
    "http://10.0.0.1:4318/v1/traces",
    "attributes['token'] == 'x'",
    "basic authentication is used",
    "password_file=/run/secret",
    "verbosity: basic",
    "app:redacted:0123abcd@db",
    "password=[REDACTED]",
    "tokens >= 1",
    "asia-east1",
]


@pytest.mark.parametrize("text", NOTHING)
def test_what_is_no_secret_stays(text: str) -> None:
    assert hide_secrets(text) == text


@pytest.mark.parametrize(("value", "secret", "hidden"), HELD, ids=[value for value, *_ in HELD])
def test_hiding_twice_changes_nothing(value: str, secret: str, hidden: str | None) -> None:
    once = REDACTOR.redact(f"datasource: '{value}'" if "'" not in value else value)
    assert REDACTOR.redact(once) == once
    assert hide_secrets(hide_secrets(value)) == hide_secrets(value)


def test_two_secrets_look_different_and_one_the_same() -> None:
    one, other, again = (
        REDACTOR.redact(f"datasource: app:{secret}@tcp(db)/x") for secret in ("a1", "b2", "a1")
    )
    assert one != other
    assert one == again


def test_the_lines_of_a_private_key_in_a_message_are_hidden() -> None:
    key = "-----BEGIN RSA PRIVATE KEY-----\nMIIabc\n-----END RSA PRIVATE KEY-----"
    assert hide_secrets(f"bad key: {key} here") == "bad key: [REDACTED] here"
    assert hide_secrets("-----BEGIN PRIVATE KEY-----\nMIIabc") == "[REDACTED]"


PIECES = [
    *("a:", "@", "a@", "a:b@", ":a@", "//a:", "://", "://a:", "password=", "token=", "token='"),
    *('token="', "bearer ", "basic a", "eyJ", "eyJaaaaaaaa.", "-----BEGIN ", "sig=", "=", "akia"),
    *("ghp_", "${", "secret= ", "pwd", "a.", "xoxb-"),
]


@pytest.mark.parametrize("piece", PIECES)
@pytest.mark.parametrize("end", ["", "@a", "'"])
def test_hostile_text_takes_time_in_proportion_to_its_length(piece: str, end: str) -> None:
    """With its square it would be tens of seconds: the bound is far above what a busy machine takes
    and far below that."""
    assert _cpu_us(piece * 8_000 + end) < 5_000_000


def _cpu_us(text: str) -> int:
    """Return the CPU time that hiding takes, in microseconds: other programs do not count."""
    before = time.process_time_ns()
    hide_secrets(text)
    return (time.process_time_ns() - before) // 1_000


@given(st.text(alphabet=st.sampled_from("ab1:@/=; '\"$.{}[]\npasswordtkn-"), max_size=80))
def test_any_text_is_read_and_nothing_but_secrets_changes(text: str) -> None:
    spans = list(secrets_in(text))
    assert all(0 <= one.start < one.end <= len(text) for one in spans)
    if not spans:
        assert hide_secrets(text) == text
