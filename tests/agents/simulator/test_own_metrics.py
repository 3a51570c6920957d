from __future__ import annotations

from pathlib import Path

import pytest

from agents.gateway.own_metrics.otlp_pb2 import ExportMetricsServiceRequest
from agents.gateway.own_metrics.series import read
from agents.opamp import opamp_pb2 as pb
from agents.simulator import ledger
from agents.simulator.agent import Memory, SimulatedAgent
from agents.simulator.faults import Behaviour
from agents.simulator.own_metrics import Effects, Life, effects_of, export_of
from agents.simulator.profile import make_profile

EXAMPLES = Path(__file__).resolve().parents[3] / "console" / "demo" / "examples"
ONE = (EXAMPLES / "edge-v1.yaml").read_bytes()
START = 1_700_000_000.0


def simulated() -> SimulatedAgent:
    return SimulatedAgent(make_profile(0, 1, 0.0), Behaviour(), Memory(), started_ns=1)


def lived(effects: Effects, minutes: int = 10) -> Life:
    life = Life(b"seed", b"hash", START, START)
    for minute in range(1, minutes + 1):
        life.run(START + 60 * minute, effects)
    return life


def test_an_offer_says_where_own_metrics_go() -> None:
    agent = simulated()
    message = pb.ServerToAgent()
    offered = message.connection_settings.own_metrics
    offered.destination_endpoint = "http://127.0.0.1:1/v1/metrics"
    offered.headers.headers.add(key="Authorization", value="Bearer x")
    agent.receive(message, 0.0)
    assert agent.own_metrics == (
        "http://127.0.0.1:1/v1/metrics",
        {"Authorization": "Bearer x"},
    )


def test_where_own_metrics_go_is_kept_over_a_restart(tmp_path: Path) -> None:
    agent = simulated()
    agent.memory.metrics_url, agent.memory.metrics_authorization = "http://x/", "Bearer y"
    ledger.save(tmp_path / "fleet.json", [agent], set())
    (memory,) = ledger.load(tmp_path / "fleet.json").values()
    assert (memory.metrics_url, memory.metrics_authorization) == ("http://x/", "Bearer y")


def test_an_export_is_read_as_a_collectors_is() -> None:
    life = lived(Effects())
    raw = export_of(simulated(), life)
    sample, _ = read(ExportMetricsServiceRequest.FromString(raw), START + 600)
    assert sample.cpu_s == life.cpu_s
    assert sample.started_at == START
    assert sample.flows()["received"][0] == life.received
    assert sample.latency_counts is not None


def test_the_example_config_does_no_harm() -> None:
    assert effects_of(ONE) == Effects()


@pytest.mark.parametrize(
    ("old", "new", "effects"),
    [
        (b"verbosity: basic", b"verbosity: detailed", Effects(cpu=1.4)),
        (
            b"[memory_limiter, batch]",
            b"[batch]",
            Effects(leak_bytes_per_min=4e6),
        ),
        (
            b"debug:\n    verbosity: basic",
            b"debug: {}\n  otlp: {endpoint: 'http://backend.invalid:4317'}",
            Effects(loses_data=True),
        ),
    ],
)
def test_a_config_has_the_effects_it_would_have(old: bytes, new: bytes, effects: Effects) -> None:
    assert effects_of(ONE.replace(old, new)) == effects


def test_lost_data_is_received_and_not_sent() -> None:
    life = lived(Effects(loses_data=True))
    assert life.received > 0
    assert life.sent == 0


def test_the_same_agent_has_the_same_load() -> None:
    assert lived(Effects()) == lived(Effects())
