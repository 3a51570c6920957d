"""The servers under test as processes on a core of their own: CPU, memory, metrics, kill -9."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import requests
from prometheus_client.parser import text_string_to_metric_families

from console.embedded.server import free_port

_ROOT = Path(__file__).resolve().parents[2]
_ENDED = (FileNotFoundError, ProcessLookupError)
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PATIENCE_S = 60.0
# Longer than a flush and the pause before it.
_QUIET_S = 0.5
Lag = dict[float, float]


class ServerError(Exception):
    """A server did not start, or ended by itself; the message holds the end of its log."""


class Server:
    """A process on the server's core. Its numbers are those of its whole process tree."""

    def __init__(self, argv: Sequence[str], port: int, cores: set[int], directory: Path) -> None:
        self.port = port
        self.began_at = 0.0
        self._argv = list(argv)
        self._cores = cores
        self._log_path = directory / f"server-{port}.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._past_cpu_s = 0.0

    def start(self) -> None:
        """Start it; return when its port answers."""
        self.began_at = time.monotonic()
        cores = ",".join(map(str, sorted(self._cores)))
        with self._log_path.open("ab") as log:
            self._process = subprocess.Popen(
                ["taskset", "-c", cores, *self._argv],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=_ROOT,
            )
        while not _answers(self.port):
            if self._process.poll() is not None or time.monotonic() > self.began_at + _PATIENCE_S:
                self.kill()
                raise ServerError(f"{self._argv[1:4]} does not listen:\n{self.log()}")
            time.sleep(0.02)

    def stop(self) -> None:
        """Ask it to end; after 20 s kill it."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """Kill -9, children included."""
        if self._process is not None and self._process.poll() is None:
            self._past_cpu_s = self.cpu_s()
            for pid in reversed(self._pids()):
                os.kill(pid, signal.SIGKILL)
            self._process.wait()

    def cpu_s(self) -> float:
        """Return the CPU seconds used so far, user and system, earlier lives included."""
        return self._past_cpu_s + cpu_of(self._pids())

    def rss_kib(self) -> int:
        """Return the resident memory in KiB."""
        total = 0
        for pid in self._pids():
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Rss:"):
                    total += int(line.split()[1])
        return total

    def log(self) -> str:
        """Return the end of what it has printed."""
        return self._log_path.read_text(errors="replace")[-3000:]

    def _pids(self) -> list[int]:
        assert self._process is not None
        return tree_of(self._process.pid)


class EchoServer(Server):
    """The bare echo."""

    def __init__(self, cores: set[int], directory: Path) -> None:
        port = free_port()
        argv = [sys.executable, "-m", "bench.gateway.echo", "--port", str(port)]
        super().__init__(argv, port, cores, directory)

    def push(self, body: bytes) -> float:
        """Send a config to everyone; return the seconds until all have acknowledged."""
        began = time.monotonic()
        requests.post(
            f"http://127.0.0.1:{self.port}/push", data=body, timeout=60
        ).raise_for_status()
        return time.monotonic() - began


class GatewayServer(Server):
    """The real gateway, as an operator starts it."""

    def __init__(self, cores: set[int], directory: Path) -> None:
        port, self.metrics_port = free_port(), free_port()
        argv = [sys.executable, str(_ROOT / "manage.py"), "gateway", "--host", "127.0.0.1"]
        argv += ["--port", str(port), "--metrics-port", str(self.metrics_port)]
        super().__init__(argv, port, cores, directory)

    def metrics(self) -> dict[tuple[str, str], float]:
        """Return all samples by name and, for histograms, the bucket's bound."""
        text = requests.get(f"http://127.0.0.1:{self.metrics_port}/metrics", timeout=30).text
        return {
            (sample.name, sample.labels.get("le", "")): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    def lag(self) -> Lag:
        """Return how often the loop was late by at most so many seconds, cumulated."""
        return {
            float(bound): value
            for (name, bound), value in self.metrics().items()
            if name == "opamp_gateway_loop_lag_bucket"
        }

    def wait_written(self) -> None:
        """Wait until nothing is left to be stored: none waits, and none has been written lately.

        What is being written now is neither counted as waiting nor yet as written.
        """
        deadline = time.monotonic() + _PATIENCE_S
        quiet_since, before = time.monotonic(), -1.0
        while time.monotonic() < quiet_since + _QUIET_S:
            found = self.metrics()
            written = found["opamp_gateway_flush_agents_sum", ""]
            if written != before or found["opamp_gateway_unwritten_agents", ""] > 0:
                quiet_since, before = time.monotonic(), written
            if time.monotonic() > deadline:
                raise ServerError(f"changes are not written:\n{self.log()}")
            # Seldom: each look costs the gateway milliseconds that would count as its messages'.
            time.sleep(0.2)


def tree_of(pid: int) -> list[int]:
    """Return a process and all below it, parents first."""
    pids = [pid]
    for parent in pids:
        for children in Path(f"/proc/{parent}/task").glob("*/children"):
            with suppress(*_ENDED):
                pids += map(int, children.read_text().split())
    return pids


def cpu_of(pids: Sequence[int]) -> float:
    """Return the CPU seconds, user and system, that processes and their ended children used.

    A process that ends in this moment is its parent's: PostgreSQL's workers come and go.
    """
    used = 0
    for pid in pids:
        with suppress(*_ENDED):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            used += sum(map(int, fields[11:15]))
    return used / _TICKS_PER_S


def lag_sum(lags: Sequence[Lag]) -> Lag:
    """Return the counts of several readings together."""
    return {bound: sum(lag[bound] for lag in lags) for bound in (lags[0] if lags else {})}


def lag_quantile(lag: Lag, share: float) -> float:
    """Return the bound in seconds below which `share` of the readings are. Rounded up to a bucket."""
    total = max(lag.values(), default=0.0)
    for bound, count in sorted(lag.items()):
        if total and count >= share * total:
            return bound
    return float("nan")


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=0.5):
            return True
    except OSError:
        return False
