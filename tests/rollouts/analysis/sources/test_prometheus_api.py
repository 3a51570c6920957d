from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import pytest

from rollouts.analysis.measure import load_gates, take_measurements
from rollouts.analysis.sources.prometheus_api import PrometheusApi, Trouble
from rollouts.engine.facts import GateFacts, Verdict
from rollouts.models import Measurement
from tests.make.times import NOW
from tests.make.watched import PLAN, make_bare_rollout, make_phase, make_target

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
                if callable(answer):
                    answer = answer(outer.asked[-1]["query"])
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


def vector(*rows: tuple[Any, Any]) -> dict[str, Any]:
    result = [{"metric": labels, "value": [1.0, value]} for labels, value in rows]
    return {"status": "success", "data": {"resultType": "vector", "result": result}}


def ask(server: Server, **words: Any) -> list[Any]:
    return PrometheusApi(server.url + "/", **words).query("up", NOW)


def test_samples_come_with_their_labels(server: Server) -> None:
    server.answer = vector(({"service_instance_id": "a"}, "1.5"), ({}, "2"))
    samples = ask(server)
    assert [(sample.labels.get("service_instance_id"), sample.value) for sample in samples] == [
        ("a", 1.5),
        (None, 2.0),
    ]
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
        (200, vector(*[({}, "1")] * 50_001), "50,001 series"),
        (200, b"[" * 100_000, "no JSON of its API"),
        (200, {"status": "success", "data": None}, "cannot be read"),
        (200, {"status": "success", "data": {"resultType": "vector", "result": 7}}, "cannot be"),
        (
            200,
            {"status": "success", "data": {"resultType": "vector", "result": ["x"]}},
            "cannot be",
        ),
        (200, vector((["a"], "1")), "cannot be read"),
        (200, vector(({"service_instance_id": {"a": "b"}}, "1")), "cannot be read"),
        (200, vector(({}, 1)), "cannot be read"),
        (200, vector(({}, 10**400)), "cannot be read"),
        (200, vector(({}, True)), "cannot be read"),
        (200, {"status": "success", "data": {"resultType": "scalar", "result": "12"}}, "cannot be"),
        (200, {**EMPTY, "warnings": {"a": "b"}}, "partial: {'a': 'b'}"),
        (400, {"status": "error", "error": "a\x00b\ud800"}, "query: a\ufffdb\\?"),
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
    assert len(server.asked) <= 1  # the server may not even have read the first one yet


def test_all_queries_of_a_reading_share_its_time(server: Server) -> None:
    api = PrometheusApi(server.url, budget_s=0.05)
    with pytest.raises(Trouble, match="took longer"):
        api.query("up", NOW)


@pytest.mark.django_db
def test_while_prometheus_is_away_its_gates_hold_and_opamp_guards_act(settings: Any) -> None:
    settings.PROMETHEUS_URL = "http://127.0.0.1:9"
    criterion = {"metric": "queue", "operator": "<", "threshold": 0.9, "query": "max(q)"}
    plan = {**PLAN, "phases": [{**PLAN["phases"][0], "success_criteria": [criterion]}]}
    phase = make_phase(make_bare_rollout(plan), counts={"offered": 20, "failed": 10})
    take_measurements(phase.rollout_id, NOW)
    found = {gate.gate: gate for gate in load_gates(phase.rollout, phase, NOW)}
    assert found["criterion:queue"].verdict is Verdict.INSUFFICIENT
    assert "no answer" in str(found["criterion:queue"].sentence)
    assert found["threshold:failure_rate"].firing


TRIGGER_PLAN: dict[str, Any] = {
    **PLAN,
    "rollback": {"triggers": [{"name": "odd", "condition": "x > 1", "for": "1s"}]},
}
US = {"service_instance_id": "us"}


def triggered(
    server: Server, settings: Any, condition: str, answers: Callable[[str], Any]
) -> GateFacts:
    """Read a trigger once, on one touched agent, beside failures that OpAMP reports."""
    settings.PROMETHEUS_URL = server.url
    server.answer = answers
    trigger = {"name": "odd", "condition": condition, "for": "1s"}
    rollout = make_bare_rollout({**TRIGGER_PLAN, "rollback": {"triggers": [trigger]}})
    phase = make_phase(rollout, counts={"offered": 20, "failed": 10})
    changed_at = NOW - timedelta(minutes=10)
    make_target(phase, confirmed_at=changed_at, labels={"service.instance.id": "us"})
    take_measurements(phase.rollout_id, NOW)
    found = {gate.gate: gate for gate in load_gates(phase.rollout, phase, NOW)}
    assert found["threshold:failure_rate"].firing
    return found["trigger:odd"]


def known(*rows: tuple[dict[str, str], str], of: dict[str, str]) -> Callable[[str], Any]:
    """Answer the condition with `rows`; the metric x is known, of one agent."""

    def answer(query: str) -> Any:
        if query.startswith("group by (__name__") and "target_info" in query:
            return EMPTY
        if query.startswith("group by (__name__"):
            return vector(({"__name__": "x", **of}, "1"))
        return vector(*rows)

    return answer


@pytest.mark.django_db
def test_a_series_is_true_whatever_its_value(server: Server, settings: Any) -> None:
    found = triggered(server, settings, "sum(x) == 0", known(({}, "0"), of=US))
    assert found.pending_since is not None


@pytest.mark.django_db
@pytest.mark.parametrize("labels", [{}, US])
def test_nought_is_no_where_the_condition_asks_for_bool(
    server: Server, settings: Any, labels: dict[str, str]
) -> None:
    asked = "x > bool 1" if labels else "sum(x) > bool 1"
    found = triggered(server, settings, asked, known((labels, "0"), of=US))
    assert found.verdict is Verdict.PASS


@pytest.mark.django_db
def test_an_empty_answer_about_other_peoples_agents_is_not_calm(
    server: Server, settings: Any
) -> None:
    found = triggered(server, settings, "x > 1", known(of={"service_instance_id": "them"}))
    assert found.verdict is Verdict.INSUFFICIENT
    assert "knows none of the agents" in str(found.sentence)


@pytest.mark.django_db
def test_only_a_condition_that_names_no_agent_is_calm_about_none_in_particular(
    server: Server, settings: Any
) -> None:
    """A series of a backend is a stranger's; its sum speaks for the rollout as a whole."""
    found = triggered(server, settings, "sum(x) > 1", known(of={"job": "backend"}))
    assert found.verdict is Verdict.PASS
    assert "as a whole" in str(found.note)


@pytest.mark.django_db
def test_series_of_a_backend_say_nothing_of_agents(server: Server, settings: Any) -> None:
    answers = known(({"job": "backend"}, "5"), of={"job": "backend"})
    found = triggered(server, settings, "x > 1", answers)
    assert found.verdict is Verdict.INSUFFICIENT
    assert "1 series speak of strangers" in str(found.note)


@pytest.mark.django_db
def test_what_a_series_says_of_itself_is_kept_within_limits(server: Server, settings: Any) -> None:
    labels = {**US, "nul": "a\x00b", "half": "\ud800", "long": "x" * 100_000}
    labels |= {f"l{n}": "v" for n in range(100)}
    triggered(server, settings, "x > 1", known((labels, "2"), of=US))
    (kept,) = Measurement.objects.get(gate="trigger:odd").inputs["series"]
    assert len(kept) == 20
    assert kept["nul"] == "a\ufffdb"
    assert kept["half"] == "?"
    assert len(kept["long"]) == 200


@pytest.mark.django_db
def test_a_gate_that_cannot_be_read_leaves_the_others(
    monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.PROMETHEUS_URL = "http://127.0.0.1:9"
    monkeypatch.setattr(PrometheusApi, "query", lambda *_: 1 / 0)
    phase = make_phase(make_bare_rollout(TRIGGER_PLAN), counts={"offered": 20, "failed": 10})
    take_measurements(phase.rollout_id, NOW)
    found = {gate.gate: gate for gate in load_gates(phase.rollout, phase, NOW)}
    assert found["trigger:odd"].verdict is Verdict.INSUFFICIENT
    assert "cannot be read" in str(found["trigger:odd"].sentence)
    assert found["threshold:failure_rate"].firing


@pytest.mark.django_db
def test_failures_that_agents_without_the_change_share_are_not_held_against_it(
    server: Server, settings: Any
) -> None:
    """Half of all exports fail, with the new version (a, b) as without it (c, d)."""
    settings.PROMETHEUS_URL = server.url

    def answer(query: str) -> Any:
        if "timestamp(" in query:
            return vector(*(({"service_instance_id": i}, str(NOW.timestamp())) for i in "abcd"))
        told = "send_failed_spans" in query or "sent_spans" in query
        return vector(*(({"service_instance_id": i}, "500") for i in "abcd" if told))

    server.answer = answer
    criterion = {"metric": "failure_rate", "operator": "<", "threshold": "5%"}
    found = {}
    for compare in ("absolute", "control"):
        asked = {**criterion, "compare": compare, "source": "prometheus"}
        plan = {**PLAN, "phases": [{**PLAN["phases"][0], "success_criteria": [asked]}]}
        phase = make_phase(make_bare_rollout(plan), observed_s=600.0, counts={"offered": 2})
        for instance, state in (
            ("a", "applied"),
            ("b", "applied"),
            *((i, "waiting") for i in "cd"),
        ):
            confirmed_at = NOW - timedelta(minutes=10) if state == "applied" else None
            labels = {"service.instance.id": instance}
            make_target(phase, state=state, confirmed_at=confirmed_at, labels=labels)
        take_measurements(phase.rollout_id, NOW)
        found[compare] = Measurement.objects.get(
            rollout=phase.rollout, gate__startswith="criterion"
        )
    assert found["absolute"].value == pytest.approx(0.5)
    assert found["control"].value == pytest.approx(0.0)
    assert "failed anyway" in str(found["control"].note)
