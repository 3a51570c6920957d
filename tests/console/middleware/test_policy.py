"""Headers that tell a browser what our pages may do."""

from __future__ import annotations

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("url", ["/login/", "/", "/healthz", "/api/v1/agents", "/none"])
def test_no_page_may_use_the_readers_machine(url: str) -> None:
    sent = Client().get(url)["Permissions-Policy"]
    assert "camera=()" in sent
    assert "microphone=()" in sent
    assert "geolocation=()" in sent
    assert "clipboard-write=(self)" in sent
