from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import pytest

from rollouts.analysis.measure import load_gates, take_measurements
from rollouts.analysis.sources.prometheus_api import PrometheusApi, Trouble
from rollouts.engine.facts import Verdict
from tests.rollouts.analysis.rows import NOW, PLAN, make_phase, make_rollout

EMPTY: dict[str, Any] = {"status": "success", "data": {"resultType": "vector", "result": []}}


class Server:
    """Answers every query with what the test sets, and remembers what was asked."""

    def __init__(self) -> None:
        self.status = 200
        self.answer: Any = EMPTY
        self.delay_s = 0.0
        self.asked: list[dict[str, str]] = []
        self.headers: dict[str, str] = {}
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                outer.asked.append({key: values[0] for key, values in form.items()})
                outer.headers = dict(self.headers.items())
                time.sleep(outer.delay_s)
                answer = outer.answer
                body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                self.send_response(outer.status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                with contextlib.suppress(BrokenPipeError):  # nobody waits any more
                    self.wfile.write(body)

            def log_message(self, *args: object) -> None:
                """Say nothing."""

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,))
        self._thread.start()

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


@pytest.fixture
def server() -> Iterator[Server]:
    found = Server()
    yield found
    found.close()


def vector(*rows: tuple[dict[str, str], str]) -> dict[str, Any]:
    result = [{"metric": labels, "value": [1.0, value]} for labels, value in rows]
    return {"status": "success", "data": {"resultType": "vector", "result": result}}


def ask(server: Server, **words: Any) -> list[Any]:
    return PrometheusApi(server.url + "/", **words).query("up", NOW)


def test_samples_come_with_their_labels(server: Server) -> None:
    server.answer = vector(({"service_instance_id": "a"}, "1.5"), ({}, "2"))
    samples = ask(server)
    assert [(sample.instance, sample.value) for sample in samples] == [("a", 1.5), ("", 2.0)]
    assert server.asked[0]["query"] == "up"
    assert float(server.asked[0]["time"]) == NOW.timestamp()


def test_tenant_and_token_are_sent(server: Server) -> None:
    ask(server, tenant="team-1", token="secret")
    assert server.headers["X-Scope-OrgID"] == "team-1"
    assert server.headers["Authorization"] == "Bearer secret"


def test_what_is_not_a_number_is_left_out(server: Server) -> None:
    server.answer = vector(({}, "NaN"))
    assert ask(server) == []


def test_a_number_is_one_sample(server: Server) -> None:
    data = {"resultType": "scalar", "result": [1.0, "7"]}
    server.answer = {"status": "success", "data": data}
    assert [sample.value for sample in ask(server)] == [7.0]


@pytest.mark.parametrize(
    ("status", "answer", "words"),
    [
        (400, {"status": "error", "error": "parse error: no"}, "refuses the query: parse error"),
        (502, b"<html>bad gateway</html>", "502 and no JSON"),
        (200, [], "no JSON of its API"),
        (200, {**EMPTY, "warnings": ["store 3 is away"]}, "partial: store 3 is away"),
        (200, {"status": "success", "data": {"resultType": "matrix", "result": []}}, "a matrix"),
        (200, {"status": "success", "data": {"resultType": "vector"}}, "cannot be read"),
        (200, vector(({}, "+Inf")), "divided by zero"),
        (200, vector(*[({}, "1")] * 20_001), "20,001 series"),
    ],
)
def test_an_answer_that_proves_nothing_is_trouble(
    server: Server, status: int, answer: Any, words: str
) -> None:
    server.status, server.answer = status, answer
    with pytest.raises(Trouble, match=words):
        ask(server)


def test_a_server_that_hangs_is_left_alone_for_a_while(server: Server) -> None:
    server.delay_s = 1.5
    with pytest.raises(Trouble, match="no answer"):
        ask(server, budget_s=0.5)
    with pytest.raises(Trouble, match="no answer since"):
        ask(server, budget_s=0.5)
    assert len(server.asked) == 1


def test_all_queries_of_a_reading_share_its_time(server: Server) -> None:
    api = PrometheusApi(server.url, budget_s=0.05)
    with pytest.raises(Trouble, match="took longer"):
        api.query("up", NOW)


@pytest.mark.django_db
def test_while_prometheus_is_away_its_gates_hold_and_opamp_guards_act(settings: Any) -> None:
    settings.PROMETHEUS_URL = "http://127.0.0.1:9"
    criterion = {"metric": "queue", "operator": "<", "threshold": 0.9, "query": "max(q)"}
    plan = {**PLAN, "phases": [{**PLAN["phases"][0], "success_criteria": [criterion]}]}
    phase = make_phase(make_rollout(plan), counts={"offered": 20, "failed": 10})
    take_measurements(phase.rollout_id, NOW)
    found = {gate.gate: gate for gate in load_gates(phase.rollout, phase, NOW)}
    assert found["criterion:queue"].verdict is Verdict.INSUFFICIENT
    assert "no answer" in found["criterion:queue"].sentence
    assert found["threshold:failure_rate"].firing
