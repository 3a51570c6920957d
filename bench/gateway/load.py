"""The load generator: compiled from `bench/load/`, driven by lines, answering in JSON lines.

C, because Python clients would be the limit. One thread, epoll; it tells its own CPU with every
answer, so that a table can say whether the load was the limit.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agents.opamp import bits
from agents.opamp.opamp_pb2 import AgentToServer

_SOURCES = Path(__file__).parents[1] / "load"
_FLAGS = ("-O2", "-std=gnu11", "-Wall", "-Wextra", "-D_GNU_SOURCE")
STATUS_BYTES = 2037
HEARTBEAT, STATUS, CHANGED = 0, 1, 2
CAPABILITIES = (
    bits.REPORTS_STATUS
    | bits.ACCEPTS_REMOTE_CONFIG
    | bits.REPORTS_EFFECTIVE_CONFIG
    | bits.REPORTS_HEALTH
    | bits.REPORTS_REMOTE_CONFIG
    | bits.REPORTS_HEARTBEAT
)
# What the generator replaces: the agent's number, and a number that grows with each change.
_AGENT, _COUNT = "@@AGENT@", "##COUNT#"
_HEAD_BYTES = 27


class LoadError(Exception):
    """The load generator cannot be built, or ended."""


@dataclass(frozen=True, slots=True)
class Templates:
    """Files with the parts of a report."""

    full: Path
    status: Path


def compiled() -> Path:
    """Compile the load generator if its source has changed; return the program."""
    compiler = shutil.which(os.environ.get("CC", "cc")) or shutil.which("gcc")
    if compiler is None:
        raise LoadError(
            "no C compiler: the load generator is C. Install gcc (Debian: apt-get install gcc "
            "libc6-dev) or name one in CC."
        )
    sources = sorted(_SOURCES.glob("*.[ch]"))
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:16]
    cache = Path(os.environ.get("XDG_CACHE_HOME", "") or Path.home() / ".cache") / "tidegate"
    cache.mkdir(parents=True, exist_ok=True)
    program = cache / f"load-{digest}"
    if not program.exists():
        units = [str(path) for path in sources if path.suffix == ".c"]
        fresh = program.with_suffix(f".{os.getpid()}")
        made = subprocess.run(
            [compiler, *_FLAGS, "-o", str(fresh), *units], capture_output=True, text=True
        )
        if made.returncode != 0:
            raise LoadError(f"{compiler} cannot compile the load generator:\n{made.stderr}")
        fresh.rename(program)
    return program


def write_templates(directory: Path) -> Templates:
    """Write the parts of the first full report and of a 2,037 byte status, which is the same."""
    parts = _parts()
    templates = Templates(directory / "full.bin", directory / "status.bin")
    templates.full.write_bytes(parts)
    templates.status.write_bytes(parts)
    return templates


def _parts() -> bytes:
    """Return description, health and effective config as a supervised collector reports them."""
    report = AgentToServer()
    for key, value in (
        ("service.name", "otelcol-edge"),
        ("service.instance.id", f"019b76da-a800-7000-8000-0000{_AGENT}"),
        ("service.version", "0.149.0"),
    ):
        report.agent_description.identifying_attributes.add(key=key).value.string_value = value
    for key, value in (
        ("host.name", f"bench-{_AGENT}"),
        ("host.arch", "amd64"),
        ("os.type", "linux"),
        ("os.description", "Debian GNU/Linux 12 (bookworm)"),
        ("env", "prod"),
        ("region", "eu-west"),
        ("tier", "silver"),
    ):
        report.agent_description.non_identifying_attributes.add(key=key).value.string_value = value
    report.health.healthy = True
    report.health.status = "StatusOK"
    report.health.start_time_unix_nano = 1_767_225_600_000_000_000
    for name in ("extensions", "pipeline:logs", "pipeline:metrics", "pipeline:traces"):
        component = report.health.component_health_map[name]
        component.healthy = True
        component.status = "StatusOK"
        component.status_time_unix_nano = 1_767_225_601_000_000_000
    report.health.last_error = f"reconnects: {_COUNT}"
    file = report.effective_config.config_map.config_map[""]
    file.content_type = "text/yaml"
    file.body = _CONFIG.encode()
    missing = STATUS_BYTES - _HEAD_BYTES - report.ByteSize()
    file.body = (_CONFIG + "#" * (missing - 1) + "\n").encode()
    return report.SerializeToString(deterministic=True)


_CONFIG = f"""\
receivers:
  otlp:
    protocols:
      grpc: {{endpoint: "0.0.0.0:4317"}}
      http: {{endpoint: "0.0.0.0:4318"}}
  hostmetrics:
    collection_interval: 30s
    scrapers: {{cpu: {{}}, memory: {{}}, disk: {{}}, filesystem: {{}}, network: {{}}}}
processors:
  memory_limiter: {{check_interval: 1s, limit_percentage: 75, spike_limit_percentage: 15}}
  batch: {{timeout: 5s, send_batch_size: 8192}}
  resource:
    attributes:
      - {{key: host.name, value: bench-{_AGENT}, action: upsert}}
      - {{key: change, value: "{_COUNT}", action: upsert}}
exporters:
  otlp:
    endpoint: collector.example.com:4317
    sending_queue: {{queue_size: 5000}}
service:
  pipelines:
    metrics: {{receivers: [otlp, hostmetrics], processors: [memory_limiter, batch], exporters: [otlp]}}
    traces: {{receivers: [otlp], processors: [memory_limiter, batch], exporters: [otlp]}}
"""


class Load:
    """One running load generator: a fleet of its own at one server."""

    _fleets = 0

    def __init__(self, port: int, agents: int, directory: Path, cores: set[int]) -> None:
        Load._fleets += 1
        templates = write_templates(directory)
        self.agents = agents
        self._errors_path = directory / f"load-{Load._fleets}.log"
        argv = [str(compiled()), "127.0.0.1", str(port), "/v1/opamp", str(agents)]
        argv += [str(Load._fleets), str(CAPABILITIES), str(templates.full), str(templates.status)]
        with self._errors_path.open("wb") as errors:
            self._process = subprocess.Popen(
                argv,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                bufsize=1,
            )
        os.sched_setaffinity(self._process.pid, cores)

    def ask(self, command: str) -> dict[str, Any]:
        """Send a command and wait for its answer. Raises LoadError when the generator has ended."""
        self.tell(command)
        return self.answer()

    def tell(self, command: str) -> None:
        """Send a command whose answer is read later."""
        assert self._process.stdin is not None
        self._process.stdin.write(command + "\n")

    def answer(self) -> dict[str, Any]:
        """Wait for the next answer."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise LoadError(f"the load generator ended: {self._errors_path.read_text().strip()}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def connect(self, agents: int, parallel: int = 1000) -> dict[str, Any]:
        """Bring `agents` in and wait until every first report is answered."""
        return self.ask(f"connect {agents} {parallel}")

    def stream(self, kind: int, per_s: float, seconds: float) -> dict[str, Any]:
        """Send messages at a fixed rate, spread over all agents."""
        return self.ask(f"stream {kind} {per_s} {seconds}")

    def beat(self, per_s: float) -> None:
        """Send heartbeats in the background; 0 stops them."""
        self.ask(f"beat {per_s}")

    def stop(self) -> None:
        """End it, and with it all connections."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)
