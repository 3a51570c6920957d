"""The yardstick: the least an OpAMP server can do with aiohttp on uvloop. Stores nothing.

Per message: check the header, parse AgentToServer, touch the agent's object, build and serialize
a ServerToAgent. `POST /push` sends its body as a config to everyone and answers when all have
acknowledged. Run by `bench.gateway`.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import hashlib
import socket
import time

import uvloop
from aiohttp import WSMsgType, web

from agents.gateway.registry.bodies import remote_config
from agents.opamp.opamp_pb2 import AgentToServer, ServerToAgent
from agents.opamp.wire import HEADER

BACKLOG = 4096
SLICE = 200


class Agent:
    """What the echo remembers of one agent."""

    __slots__ = ("last_seen", "sequence_num", "uid", "ws")

    def __init__(self, ws: web.WebSocketResponse) -> None:
        self.ws = ws
        self.uid = b""
        self.sequence_num = 0
        self.last_seen = 0.0


class Echo:
    """Acknowledges every message."""

    def __init__(self) -> None:
        self.agents: set[Agent] = set()
        self.acknowledged = 0
        self.expected = 0
        self.all_acknowledged = asyncio.Event()

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one agent until it leaves."""
        ws = web.WebSocketResponse(compress=False)
        await ws.prepare(request)
        agent = Agent(ws)
        self.agents.add(agent)
        try:
            async for message in ws:
                if message.type is WSMsgType.BINARY:
                    await ws.send_bytes(self.answer(agent, message.data))
        finally:
            self.agents.discard(agent)
        return ws

    def answer(self, agent: Agent, frame: bytes) -> bytes:
        """Return the acknowledgement of one message."""
        if frame[0] != 0:
            raise ValueError("the header must be 0")
        report = AgentToServer.FromString(frame[1:])
        agent.uid = report.instance_uid
        agent.sequence_num = report.sequence_num
        agent.last_seen = time.time()
        if report.HasField("remote_config_status"):
            self.acknowledged += 1
            if self.acknowledged == self.expected:
                self.all_acknowledged.set()
        reply = ServerToAgent(instance_uid=report.instance_uid)
        return HEADER + reply.SerializeToString()

    async def push(self, request: web.Request) -> web.Response:
        """Send a config to everyone; answer when all have acknowledged it."""
        body = await request.read()
        part = remote_config(hashlib.sha256(body).hexdigest(), body)
        self.acknowledged, self.expected = 0, len(self.agents)
        self.all_acknowledged.clear()
        for position, agent in enumerate(list(self.agents), 1):
            await agent.ws.send_bytes(HEADER + b"\x0a\x10" + agent.uid + part)
            if position % SLICE == 0:
                await asyncio.sleep(0)
        await self.all_acknowledged.wait()
        return web.Response(text=str(self.expected))


async def serve(port: int) -> None:
    """Listen until killed."""
    echo = Echo()
    app = web.Application()
    app.router.add_get("/v1/opamp", echo.serve)
    app.router.add_post("/push", echo.push)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    listener = socket.create_server(("127.0.0.1", port), backlog=BACKLOG)
    await web.SockSite(runner, listener, backlog=BACKLOG).start()
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.gateway.echo")
    parser.add_argument("--port", type=int, required=True)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(parser.parse_args().port))


if __name__ == "__main__":
    main()
