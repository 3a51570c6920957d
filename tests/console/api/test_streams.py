from __future__ import annotations

import json
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.test import AsyncClient

from tests.console.api.people import person, secret_of
from tests.make.agents import make_agents

pytestmark = pytest.mark.django_db


def test_a_long_list_is_sent_in_pieces_without_reading_it_first() -> None:
    make_agents(1203)
    secret = secret_of(person("viewer"))

    async def pieces() -> list[bytes]:
        headers = {"authorization": f"Bearer {secret}"}
        answer: Any = await AsyncClient().get("/api/v1/agents", headers=headers)
        assert answer.streaming
        assert answer.is_async
        return [piece async for piece in answer.streaming_content]

    sent = async_to_sync(pieces)()
    assert len(sent) > 5
    assert len(json.loads(b"".join(sent))["agents"]) == 1203
