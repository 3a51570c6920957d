"""The real opampsupervisor with a real collector under it.

A config says which version of itself runs by the path of its health_check extension; the
collector reads the port from its environment, so one config serves many collectors of a host.
"""

from __future__ import annotations

import http.client
import re
import shutil
import signal
import time
from pathlib import Path
from typing import Any

import yaml

from tests.clients.build import Binaries
from tests.clients.process import Process, children, is_running, kill
from tests.make.waiting import eventually, free_port

CAPABILITIES = {
    "accepts_remote_config": True,
    "reports_remote_config": True,
    "reports_effective_config": True,
    "reports_health": True,
    "reports_own_metrics": True,
    "reports_available_components": True,
    "accepts_restart_command": True,
    "accepts_opamp_connection_settings": True,
    "reports_heartbeat": True,
}


def marked_config(mark: str, **changes: Any) -> str:
    """A config that works, and answers GET /MARK on the collector's health port while it runs.

    `changes` replace whole top-level sections by name.
    """
    config: dict[str, Any] = {
        "extensions": {
            "health_check": {"endpoint": "127.0.0.1:${env:HEALTH_PORT}", "path": f"/{mark}"}
        },
        "receivers": {"otlp": {"protocols": {"http": {"endpoint": "127.0.0.1:${env:OTLP_PORT}"}}}},
        "processors": {"batch": {}},
        "exporters": {"debug": {}},
        "service": {
            "extensions": ["health_check"],
            "pipelines": {
                "traces": {
                    "receivers": ["otlp"],
                    "processors": ["batch"],
                    "exporters": ["debug"],
                }
            },
        },
    }
    return yaml.safe_dump({**config, **changes}, sort_keys=False)


class SupervisedCollector:
    """One supervisor, its storage and its collector. Ports come from the system."""

    def __init__(
        self,
        binaries: Binaries,
        directory: Path,
        server_url: str,
        *,
        headers: dict[str, str] | None = None,
        labels: dict[str, str] | None = None,
        validate_config: bool = True,
        apply_timeout_s: float | None = 1.0,
        metric_interval_ms: int = 1000,
        copy_of: SupervisedCollector | None = None,
        capabilities: dict[str, bool] | None = None,
    ) -> None:
        """`apply_timeout_s` None is the supervisor's own. `capabilities` replace single ones. `copy_of` starts with a copy of another one's storage, and so with its uid."""
        self.directory = directory
        self.storage = directory / "storage"
        if copy_of is None:
            self.storage.mkdir(parents=True, exist_ok=True)
        else:
            shutil.copytree(copy_of.storage, self.storage)
        self.health_port = free_port()
        self.otlp_port = free_port()
        agent: dict[str, Any] = {
            "executable": str(binaries.collector),
            "description": {"non_identifying_attributes": labels or {}},
            "validate_config": validate_config,
            "bootstrap_timeout": "20s",
            "env": {
                "HEALTH_PORT": str(self.health_port),
                "OTLP_PORT": str(self.otlp_port),
                "OTEL_METRIC_EXPORT_INTERVAL": str(metric_interval_ms),
            },
        }
        self.apply_timeout_s = 5.0 if apply_timeout_s is None else apply_timeout_s
        if apply_timeout_s is not None:
            agent["config_apply_timeout"] = f"{apply_timeout_s:g}s"
        log = directory / "supervisor.log"
        settings = {
            "server": {
                "endpoint": server_url,
                "headers": {name: [value] for name, value in (headers or {}).items()},
            },
            "capabilities": {**CAPABILITIES, **(capabilities or {})},
            "agent": agent,
            "storage": {"directory": str(self.storage)},
            "telemetry": {"logs": {"level": "debug", "output_paths": [str(log)]}},
        }
        config = directory / "supervisor.yaml"
        config.write_text(yaml.safe_dump(settings))
        self.process = Process(
            [str(binaries.supervisor), "--config", str(config)], log=directory / "output.log"
        )
        self.supervisor_log = log

    def start(self) -> SupervisedCollector:
        self.process.start()
        return self

    def stop(self) -> None:
        """End with SIGINT: the only signal on which a supervisor stops its collector and leaves."""
        self.process.stop(signal.SIGINT)

    def kill_supervisor(self) -> int:
        """Kill the supervisor alone and return the pid of the collector that lives on."""
        pid = self.collector_pid()
        self.process.send(signal.SIGKILL)
        self.process.wait()
        return pid

    def is_alive(self, pid: int) -> bool:
        """Tell whether a collector process, also one without a supervisor, still runs."""
        return is_running(pid)

    def kill_collector(self) -> None:
        """Kill the collector; the supervisor brings it back after 5 s."""
        kill(self.collector_pid())

    def collector_pid(self) -> int:
        """The collector process now, without the short-lived bootstrap and validate runs."""

        def running() -> int:
            for pid in children(self.process.pid):
                if is_running(pid) and self._is_collector(pid):
                    return pid
            return 0

        return eventually(running, "the supervisor runs a collector", seen=self.log_tail)

    def _is_collector(self, pid: int) -> bool:
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            return False
        effective = str(self.storage / "effective.yaml").encode()
        return any(effective in word for word in words) and b"validate" not in words

    @property
    def instance_uid(self) -> str:
        """32 hex digits from the supervisor's own store; empty before its first start."""
        return str(self._state().get("instance_id", "")).replace("-", "")

    def last_word(self) -> tuple[str, int]:
        """The config hash that it spoke of last, and the number of its status."""
        word = self._state().get("last_remote_config_status") or {}
        return str(word.get("last_remote_config_hash", "")), int(word.get("status", 0))

    def _state(self) -> dict[str, Any]:
        store = self.storage / "persistent_state.yaml"
        return (yaml.safe_load(store.read_text()) or {}) if store.exists() else {}

    def effective_text(self) -> str:
        """The merged config on disk that the supervisor starts its collector with."""
        path = self.storage / "effective.yaml"
        return path.read_text() if path.exists() else ""

    def runs(self, mark: str) -> bool:
        """Ask the collector itself: does the config marked `mark` run and say it is well?"""
        connection = http.client.HTTPConnection("127.0.0.1", self.health_port, timeout=2)
        try:
            connection.request("GET", f"/{mark}")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    def wait_runs(self, mark: str, timeout_s: float = 20.0) -> None:
        """Wait until the collector itself answers for the config marked `mark`."""
        what = f"the collector answers /{mark}"
        eventually(lambda: self.runs(mark), what, timeout_s=timeout_s, seen=self.log_tail)

    def wait_calm(self) -> None:
        """Wait until no timer of an earlier config can run out: the supervisor starts one whenever it
        has something new for its collector, and when it does, says APPLIED for what it was given last,
        though it has refused that meanwhile."""
        taken = re.compile(r'"ts":([0-9.]+),[^\n]*"agent has new config"')

        def is_calm() -> bool:
            started = [float(at) for at in taken.findall(self.log())]
            return not started or time.time() - started[-1] > self.apply_timeout_s + 0.2

        eventually(is_calm, "no config is being applied", seen=self.log_tail)

    def log(self) -> str:
        """The supervisor's log so far: JSON lines, with stack traces."""
        return self.supervisor_log.read_text() if self.supervisor_log.exists() else ""

    def log_tail(self) -> str:
        """The end of the supervisor's log, for failure texts."""
        return self.log()[-2500:] + self.process.log_tail(1000)
