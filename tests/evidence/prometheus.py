"""A real Prometheus with a past written for the test: no waiting for scrapes, any time of day."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

READY_S = 20.0


@dataclass
class History:
    """Samples by series, as OpenMetrics wants them: all of one metric together."""

    _lines: dict[str, list[str]] = field(default_factory=dict)

    def add(
        self, metric: str, labels: dict[str, str], samples: Iterable[tuple[float, float]]
    ) -> None:
        """Add (seconds since 1970, value) of one series."""
        inside = ",".join(f'{key}="{value}"' for key, value in labels.items())
        lines = self._lines.setdefault(metric, [])
        lines.extend(f"{metric}{{{inside}}} {value!r} {at:.3f}" for at, value in samples)

    def text(self) -> str:
        parts = [f"# TYPE {name} unknown\n" + "\n".join(self._lines[name]) for name in self._lines]
        return "\n".join([*parts, "# EOF\n"])


class Prometheus:
    """One server over one history. `url` answers once `start` returns."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._process: subprocess.Popen[bytes] | None = None
        self.url = ""

    def start(self, history: History) -> None:
        """Write the history and serve it. Fails loudly where Prometheus is not installed."""
        for program in ("prometheus", "promtool"):
            assert shutil.which(program), f"{program} is not installed (apt-get install prometheus)"
        data = self._directory / "data"
        file = self._directory / "history.om"
        file.write_text(history.text())
        subprocess.run(
            ["promtool", "tsdb", "create-blocks-from", "openmetrics", "-q", str(file), str(data)],
            check=True,
            capture_output=True,
        )
        config = self._directory / "prometheus.yml"
        config.write_text("global: {scrape_interval: 1h}\n")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        with (self._directory / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [
                    "prometheus",
                    f"--config.file={config}",
                    f"--storage.tsdb.path={data}",
                    "--storage.tsdb.retention.time=100y",
                    f"--web.listen-address=127.0.0.1:{port}",
                ],
                stdout=log,
                stderr=log,
            )
        self._await_ready()

    def _await_ready(self) -> None:
        deadline = time.monotonic() + READY_S
        while time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(f"{self.url}/-/ready", timeout=1) as answer:  # noqa: S310
                    if answer.status == 200:
                        return
            except (urllib.error.URLError, OSError):
                pass
            time.sleep(0.05)
        raise AssertionError((self._directory / "log").read_text()[-2000:])

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process = None
