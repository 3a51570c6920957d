"""A collector that connects by itself through the opampextension: read-only to a server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from tests.clients.build import Binaries
from tests.clients.process import Process
from tests.make.waiting import free_port, port_answers


class PlainCollector:
    """One collector with otlp, hostmetrics and debug, reporting to `server_url`."""

    def __init__(
        self,
        binaries: Binaries,
        directory: Path,
        server_url: str,
        *,
        headers: dict[str, str] | None = None,
        labels: dict[str, str] | None = None,
        instance_uid: str = "",
        exporter_headers: dict[str, str] | None = None,
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.otlp_port = free_port()
        self.config = directory / "collector.yaml"
        server = {"endpoint": server_url, "headers": headers or {}}
        kind = "ws" if server_url.startswith("ws") else "http"
        opamp: dict[str, Any] = {
            "server": {kind: server},
            "agent_description": {"non_identifying_attributes": labels or {}},
        }
        if instance_uid:
            opamp["instance_uid"] = instance_uid
        self.config.write_text(yaml.safe_dump(self._config(opamp, exporter_headers or {})))
        self.process = Process(
            [str(binaries.collector), "--config", str(self.config)], log=directory / "collector.log"
        )

    def _config(self, opamp: dict[str, Any], exporter_headers: dict[str, str]) -> dict[str, Any]:
        otlp = {"protocols": {"http": {"endpoint": f"127.0.0.1:{self.otlp_port}"}}}
        return {
            "extensions": {"opamp": opamp},
            "receivers": {
                "otlp": otlp,
                "hostmetrics": {"collection_interval": "60s", "scrapers": {"load": {}}},
            },
            "processors": {"batch": {}},
            "exporters": {
                "debug": {},
                "otlphttp": {"endpoint": "http://127.0.0.1:9", "headers": exporter_headers},
            },
            "service": {
                "extensions": ["opamp"],
                "pipelines": {
                    "metrics": {
                        "receivers": ["otlp"],
                        "processors": ["batch"],
                        "exporters": ["debug"],
                    },
                    "metrics/host": {"receivers": ["hostmetrics"], "exporters": ["otlphttp"]},
                },
            },
        }

    def start(self) -> PlainCollector:
        self.process.start()
        return self

    def stop(self) -> None:
        self.process.stop()

    def answers(self) -> bool:
        """Tell whether its OTLP receiver accepts connections."""
        return port_answers(self.otlp_port)
