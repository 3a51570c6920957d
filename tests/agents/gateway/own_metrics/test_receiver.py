from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from google.protobuf import json_format

from agents.gateway.database import Database, connection_arguments
from agents.gateway.own_metrics.buffer import SeriesBuffer
from agents.gateway.own_metrics.receiver import JSON, PATH, PROTOBUF, OwnMetrics
from agents.gateway.own_metrics.series import LastNumbers
from agents.gateway.own_metrics.token import OwnMetricsTokens
from agents.models import Agent, Series
from tests.agents.gateway.own_metrics.exports import counter, export
from tests.make.agents import make_agent_with

pytestmark = pytest.mark.django_db(transaction=True)

TOKENS = OwnMetricsTokens(["key"])
BODY = export(
    counter("otelcol_process_cpu_seconds", 12.5), counter("otelcol_receiver_accepted_spans", 100)
)


class Post:
    """Posts to a listening receiver and writes what it took."""

    def __init__(self, url: str, door: OwnMetrics, session: aiohttp.ClientSession) -> None:
        self._url, self._door, self._session = url, door, session

    async def __call__(self, agent: Agent | None, body: bytes, **headers: str) -> Any:
        given = {"Content-Type": PROTOBUF, **{k.replace("_", "-"): v for k, v in headers.items()}}
        if agent is not None:
            given.setdefault("Authorization", f"Bearer {TOKENS.token_of(agent.pk)}")
        async with self._session.post(self._url, data=body, headers=given) as response:
            content = await response.read()
        await self._door.flush()
        return response.status, content


@asynccontextmanager
async def receiver() -> AsyncIterator[Post]:
    database = Database(connection_arguments(), "otlp")
    door = OwnMetrics(TOKENS, SeriesBuffer(database))
    app = web.Application()
    app.router.add_post(PATH, door.serve)
    runner = web.AppRunner(app, auto_decompress=False)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        async with aiohttp.ClientSession() as session:
            yield Post(f"http://127.0.0.1:{runner.addresses[0][1]}{PATH}", door, session)
    finally:
        await runner.cleanup()
        await database.close()


def with_receiver(work: Callable[[Post], Awaitable[Any]]) -> Any:
    async def run() -> Any:
        async with receiver() as post:
            return await work(post)

    return asyncio.run(run())


def posted(agent: Agent | None, body: bytes, **headers: str) -> Any:
    return with_receiver(lambda post: post(agent, body, **headers))


def test_an_export_becomes_one_row_of_its_agent() -> None:
    agent = make_agent_with()
    status, content = posted(agent, BODY.SerializeToString())
    assert (status, content) == (200, b"")
    row = Series.objects.get()
    assert row.agent_id == agent.pk
    assert row.cpu_s == 12.5
    assert row.received == [100.0, None, None]
    assert row.sent == [0.0, None, None]


def test_json_is_taken_as_well() -> None:
    text = json_format.MessageToJson(BODY)
    status, content = posted(make_agent_with(), text.encode(), Content_Type=JSON)
    assert (status, content) == (200, b"{}")
    assert Series.objects.get().cpu_s == 12.5


def test_gzip_is_unpacked() -> None:
    body = gzip.compress(BODY.SerializeToString())
    assert posted(make_agent_with(), body, Content_Encoding="gzip")[0] == 200
    assert Series.objects.get().cpu_s == 12.5


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    body = gzip.compress(bytes(200 * 1024 * 1024), compresslevel=1)
    assert posted(make_agent_with(), body, Content_Encoding="gzip")[0] == 413
    assert not Series.objects.exists()


@pytest.mark.parametrize("authorization", ["", "Bearer nonsense", "Basic eA=="])
def test_without_its_token_nothing_is_taken(authorization: str) -> None:
    assert posted(None, BODY.SerializeToString(), Authorization=authorization)[0] == 401
    assert not Series.objects.exists()


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"\xff\xff\xff", {}, 400),
        (b"{", {"Content_Type": JSON}, 400),
        (b"x", {"Content_Type": "text/plain"}, 415),
        (b"x", {"Content_Encoding": "br"}, 415),
        (b"not gzip", {"Content_Encoding": "gzip"}, 400),
    ],
)
def test_what_is_no_export_is_named(body: bytes, headers: dict[str, str], status: int) -> None:
    assert posted(make_agent_with(), body, **headers)[0] == status


def test_delta_points_are_answered_with_a_partial_success() -> None:
    body = export(counter("otelcol_exporter_sent_spans", 1, delta=True)).SerializeToString()
    status, content = posted(make_agent_with(), body)
    assert status == 200
    assert b"only cumulative points" in content


def test_an_agent_that_floods_is_told_to_wait() -> None:
    agent = make_agent_with()

    async def flood(post: Post) -> list[int]:
        return [(await post(agent, BODY.SerializeToString()))[0] for _ in range(15)]

    assert 429 in with_receiver(flood)


def buffered(*samples: LastNumbers) -> list[Series]:
    agent = make_agent_with()

    async def run() -> None:
        database = Database(connection_arguments(), "otlp")
        buffer = SeriesBuffer(database)
        for sample in samples:
            buffer.add(agent.pk, sample)
            await buffer.flush()
        await database.close()

    asyncio.run(run())
    return list(Series.objects.order_by("at"))


def test_a_minute_of_an_agent_is_one_row_with_its_last_numbers() -> None:
    rows = buffered(
        LastNumbers(measured_at=6000.0, cpu_s=1.0), LastNumbers(measured_at=6059.9, cpu_s=2.0)
    )
    assert [row.cpu_s for row in rows] == [2.0]


def test_an_agent_that_exports_often_gets_finer_rows() -> None:
    rows = buffered(*(LastNumbers(measured_at=6000.0 + 2 * n, cpu_s=float(n)) for n in range(6)))
    assert [row.cpu_s for row in rows] == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]


def test_a_restart_forgets_the_numbers_of_the_former_life() -> None:
    rows = buffered(
        LastNumbers(measured_at=6000.0, started_at=1.0, cpu_s=50.0, error_logs=3.0),
        LastNumbers(measured_at=6100.0, started_at=2.0, cpu_s=0.5),
    )
    assert [(row.cpu_s, row.error_logs) for row in rows] == [(50.0, 3.0), (0.5, None)]


def test_samples_wait_while_the_database_is_away() -> None:
    agent = make_agent_with()

    async def run() -> tuple[bool, bool]:
        nowhere = Database({**connection_arguments(), "host": "/nowhere"}, "otlp")
        buffer = SeriesBuffer(nowhere)
        buffer.add(agent.pk, LastNumbers(measured_at=6000.0, cpu_s=1.0))
        failed = await buffer.flush()
        buffer._database = database = Database(connection_arguments(), "otlp")
        written = await buffer.flush()
        await database.close()
        return failed, written

    assert asyncio.run(run()) == (False, True)
    assert Series.objects.get().cpu_s == 1.0
