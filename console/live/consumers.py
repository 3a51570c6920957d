"""One browser tab on the live feed: authorises its topics, forwards, leaves. No domain logic."""

from __future__ import annotations

import asyncio
import json
import logging

from asgiref.sync import sync_to_async
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore

from accounts.actor import Actor
from accounts.models import User
from console.live import followed, topics
from console.live.codes import Close

logger = logging.getLogger(__name__)

RECHECK_S = 60.0
HIDDEN_S = 15.0
SLOW_SEND_S = 2.0
MAX_INCOMING = 200  # characters: a tab only ever says whether it is visible


def allowed(session_key: str | None, user_id: int, wishes: list[str]) -> list[str] | None:
    """Return the topics a session may follow now, or None when it is over."""
    session = SessionStore(session_key) if session_key is not None else None
    if session is None or session.get(SESSION_KEY) != str(user_id):
        return None
    user = User.objects.filter(pk=user_id, is_active=True).first()
    # A session that was made before the others were ended (`accounts.sessions`) is over.
    if user is None or session.get(HASH_SESSION_KEY) != user.get_session_auth_hash():
        return None
    actor = Actor.of(user)
    return [topic for topic in wishes if topics.may_follow(actor, topic)]


class ConsoleConsumer(AsyncWebsocketConsumer):
    """State of one tab: its topics, whether it is visible, what it missed while hidden."""

    async def connect(self) -> None:
        """Join the groups of the allowed topics, then accept; a refusal is said by close code."""
        self.joined: list[str] = []
        self.visible, self.missed = True, False
        self.loop_task: asyncio.Task[None] | None = None
        user = self.scope.get("user")
        if user is None or not user.is_authenticated:
            # Accepted first: a refused handshake would look like 1006 and be tried for ever.
            await self.accept()
            await self.close(code=Close.SIGNED_OUT)
            return
        self.user_id = user.pk
        self.session_key = self.scope["session"].session_key
        self.wishes = topics.parse(self.scope["query_string"].decode("ascii", "ignore"))
        mine = await self._allowed()
        if not mine:
            await self.accept()
            await self.close(code=Close.SIGNED_OUT if mine is None else Close.DENIED)
            return
        for topic in mine:
            await self.channel_layer.group_add(topics.group_of(topic), self.channel_name)
            self.joined.append(topic)
        # Before the tab is told that it follows: what changes from then on is drawn.
        await sync_to_async(followed.want, thread_sensitive=False)(mine)
        await self.accept()
        self.loop_task = asyncio.create_task(self._watch(), name="live-watch")

    async def _allowed(self) -> list[str] | None:
        found: list[str] | None = await database_sync_to_async(allowed)(
            self.session_key, self.user_id, self.wishes
        )
        return found

    async def disconnect(self, code: int) -> None:
        """Leave every group and end the watch."""
        if self.loop_task is not None:
            self.loop_task.cancel()
            await asyncio.gather(self.loop_task, return_exceptions=True)
        for topic in self.joined:
            await self.channel_layer.group_discard(topics.group_of(topic), self.channel_name)

    async def _watch(self) -> None:
        """Ask again every minute whether the person may still look; wake hidden tabs."""
        elapsed = 0.0
        while True:
            await asyncio.sleep(HIDDEN_S)
            elapsed += HIDDEN_S
            if not self.visible:
                await self._catch_up()
            if elapsed < RECHECK_S:
                continue
            elapsed = 0.0
            mine = await self._allowed()
            if mine is None or set(mine) < set(self.joined):
                await self.close(code=Close.SIGNED_OUT if mine is None else Close.DENIED)
                return
            await sync_to_async(followed.want, thread_sensitive=False)(mine)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Read `{"visible": false}`; everything else is ignored."""
        if not text_data or len(text_data) > MAX_INCOMING:
            return
        try:
            said = json.loads(text_data)
        except ValueError:
            return
        if isinstance(said, dict) and isinstance(said.get("visible"), bool):
            self.visible = said["visible"]
            if self.visible:
                await self._catch_up()

    async def _catch_up(self) -> None:
        if self.missed:
            self.missed = False
            await self.send(text_data='{"event":"resync"}')

    async def live_send(self, message: dict[str, str]) -> None:
        """Forward one message of a topic. A tab that is slow or hidden gets the newest state later."""
        if not self.visible and not message.get("beat"):
            self.missed = True
            return
        started = asyncio.get_running_loop().time()
        await self.send(text_data=message["text"])
        if asyncio.get_running_loop().time() - started > SLOW_SEND_S:
            self.missed = True
            await self._catch_up()
