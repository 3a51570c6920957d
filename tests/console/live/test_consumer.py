"""The consumer over the real channel layer: who may follow what, and how a feed ends."""

from __future__ import annotations

import json
from typing import Any

import pytest
from channels.db import database_sync_to_async as sync_to_async
from channels.layers import get_channel_layer
from django.contrib.auth.models import AnonymousUser
from django.test import Client

from accounts.models import RoleBinding, User
from console.live import followed, topics
from console.live.codes import Close
from console.live.consumers import allowed
from tests.console.live.tab import Tab

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]


@sync_to_async  # closes the connection of its thread
def signed_in(*roles: str) -> tuple[User, Any]:
    user = User.objects.create(username="-".join(roles) or "nobody")
    for role in roles:
        RoleBinding.objects.create(user=user, role=role)
    client = Client()
    client.force_login(user)
    return user, client.session


def socket(user: object, session: Any, query: str = "t=nav&t=rollout:42") -> Tab:
    return Tab(user, session, query)


async def close_code(tab: Tab) -> int:
    await tab.connect()
    return await tab.closed_with()


async def test_a_signed_out_tab_is_told_so_and_does_not_come_back() -> None:
    assert await close_code(socket(AnonymousUser(), None)) == Close.SIGNED_OUT


async def test_a_person_without_a_role_follows_nothing() -> None:
    user, session = await signed_in()
    assert await close_code(socket(user, session)) == Close.DENIED


async def test_a_tab_gets_what_its_topic_sends_and_nothing_else() -> None:
    user, session = await signed_in("viewer")
    tab = socket(user, session)
    await tab.connect()
    layer = get_channel_layer()
    other = {"type": "live.send", "text": "other", "beat": False}
    await layer.group_send(topics.group_of("rollout:43"), other)
    await layer.group_send(topics.group_of("rollout:42"), {**other, "text": "<b>mine</b>"})
    assert await tab.hear() == "<b>mine</b>"
    await tab.leave()


async def test_following_says_that_somebody_looks() -> None:
    user, session = await signed_in("viewer")
    tab = socket(user, session, "t=nav&t=agent:7")
    await tab.connect()
    assert "agent:7" in await sync_to_async(followed.all_wanted)()
    await tab.leave()


async def test_a_hidden_tab_is_spared_and_catches_up() -> None:
    user, session = await signed_in("viewer")
    tab = socket(user, session)
    await tab.connect()
    await tab.say(json.dumps({"visible": False}))
    layer, group = get_channel_layer(), topics.group_of("rollout:42")
    await layer.group_send(group, {"type": "live.send", "text": "<b>unseen</b>", "beat": False})
    # A heartbeat reaches hidden tabs too, and comes after what was spared.
    await layer.group_send(group, {"type": "live.send", "text": "beat", "beat": True})
    assert await tab.hear() == "beat"
    await tab.say(json.dumps({"visible": True}))
    assert await tab.hear() == '{"event":"resync"}'
    await tab.leave()


@pytest.mark.parametrize("said", ["", "nonsense", "[]", '{"visible": 1}', "x" * 5000])
async def test_nonsense_from_a_tab_changes_nothing(said: str) -> None:
    user, session = await signed_in("viewer")
    tab = socket(user, session)
    await tab.connect()
    await tab.say(said)
    message = {"type": "live.send", "text": "still here", "beat": False}
    await get_channel_layer().group_send(topics.group_of("nav"), message)
    assert await tab.hear() == "still here"
    await tab.leave()


async def test_a_session_that_ended_follows_nothing_more() -> None:
    user, session = await signed_in("viewer")
    check = sync_to_async(allowed)
    assert await check(session.session_key, user.pk, ["nav"]) == ["nav"]
    await sync_to_async(session.flush)()
    assert await check(session.session_key, user.pk, ["nav"]) is None


async def test_a_person_who_lost_the_role_follows_nothing_more() -> None:
    user, session = await signed_in("viewer")
    await sync_to_async(RoleBinding.objects.all().delete)()
    assert await sync_to_async(allowed)(session.session_key, user.pk, ["nav"]) == []
