"""The first page of a new installation says where agents reach the gateway."""

from __future__ import annotations

from typing import Any

import pytest

from tests.make.people import sign_in

pytestmark = pytest.mark.django_db


def shown(**headers: str) -> str:
    return sign_in("vera", "viewer").get("/", headers=headers).content.decode()


def test_the_address_that_was_set_is_shown(settings: Any) -> None:
    settings.OPAMP_URL = "wss://gateway.example/v1/opamp"
    assert "endpoint: wss://gateway.example/v1/opamp\n" in shown()


@pytest.mark.parametrize("port", ["", ":8080"])
@pytest.mark.parametrize("host", ["console.example", "[2001:db8::1]"])
def test_else_it_is_this_host_and_the_usual_port(settings: Any, host: str, port: str) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    settings.OPAMP_URL = ""
    assert f"endpoint: ws://{host}:4320/v1/opamp\n" in shown(host=host + port)
