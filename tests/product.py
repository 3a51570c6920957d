"""Drives the whole product as a person would: `manage.py up --demo`, sign-ins, the REST API.

Used by the tests that kill processes and by `bench/`. Everything runs on ports from the system, in a
directory of its own, and is stopped at the end.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import requests

from console.embedded.server import free_port

ROOT = Path(__file__).resolve().parents[1]
_NOT_INHERITED = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "TIDEGATE_DATA", "PUBLIC_URL")
_CSRF_FIELD = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')

FINAL_STATES = {"succeeded", "rolled_back", "rollback_incomplete", "aborted", "superseded"}
T = TypeVar("T")


class Product:
    """One running `up --demo`."""

    def __init__(
        self, data_dir: Path, *, agents: int, simulate: str = "", tls: bool = False
    ) -> None:
        self.data_dir = data_dir
        self.tls = tls
        self.port, self.opamp_port = free_port(), free_port()
        self.agents = agents
        self.simulate = simulate
        self.log_path = data_dir / "up.log"
        self.process: subprocess.Popen[bytes] | None = None
        self._api: requests.Session | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def credentials(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.data_dir / "credentials.json").read_text())
        return content

    def command(self, *more: str) -> list[str]:
        return [
            *(sys.executable, str(ROOT / "manage.py"), "up", "--demo"),
            *("--data", str(self.data_dir), "--agents", str(self.agents)),
            *("--port", str(self.port), "--opamp-port", str(self.opamp_port)),
            *((f"--simulate={self.simulate}",) if self.simulate else ()),
            *(("--tls",) if self.tls else ()),
            *more,
        ]

    def start(self, patience_s: float = 120.0) -> None:
        """Start it and wait until it says that it is ready."""
        self.data_dir.mkdir(parents=True, exist_ok=True)
        with self.log_path.open("wb") as log:
            self.process = subprocess.Popen(
                self.command(), stdout=log, stderr=log, cwd=ROOT, env=clean_environment()
            )
        wait_for(lambda: self._is_ready() or None, patience_s, self.log)
        self._api = None

    def _is_ready(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            raise AssertionError(f"up ended with {self.process.returncode}:\n{self.log()}")
        return "Tidegate is ready" in self.log_path.read_text()

    def stop(self) -> int:
        """Ask it to stop; return its exit code. SIGTERM, because `make` passes that on."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise

    def log(self) -> str:
        """Return the end of the log, for the message of a failure."""
        return self.log_path.read_text(errors="replace")[-6000:]

    def pids(self) -> dict[str, int]:
        """Return the pid of each running process by its name in the log."""
        entries = json.loads((self.data_dir / "processes.json").read_text())
        return {entry["name"]: int(entry["pid"]) for entry in entries}

    def kill(self, name: str) -> int:
        """Kill one process with -9; return its pid."""
        pid = self.pids()[name]
        os.kill(pid, signal.SIGKILL)
        return pid

    def fleet(self) -> dict[str, dict[str, Any]]:
        """Return what each simulated agent says about itself, by uid: running, history, ..."""
        agents: dict[str, dict[str, Any]] = json.loads((self.data_dir / "fleet.json").read_text())[
            "agents"
        ]
        return agents

    def api(self, method: str, path: str, **more: Any) -> Any:
        """Call the REST API as the operator's token; return the JSON. Raises on an error status."""
        if self._api is None:
            self._api = requests.Session()
            self._api.headers["Authorization"] = f"Bearer {self.credentials['api_token']}"
        answer = self._api.request(method, f"{self.url}/api/v1/{path}", timeout=60, **more)
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json()

    def sign_in(self, role: str) -> requests.Session:
        """Return a signed-in browser session of one of the demo's people."""
        person = self.credentials["users"][role]
        session = requests.Session()
        page = session.get(f"{self.url}/login/", timeout=30)
        token = _CSRF_FIELD.search(page.text)
        assert token is not None, page.text[:500]
        form = {
            "csrfmiddlewaretoken": token.group(1),
            "username": person["username"],
            "password": person["password"],
        }
        answer = session.post(
            page.url,
            data=form,
            headers={"Referer": page.url},
            timeout=30,
            allow_redirects=False,
        )
        assert answer.is_redirect, answer.text[:500]
        return session

    def act(self, role: str, path: str, **more: Any) -> Any:
        """POST to the REST API as a signed-in person (uploads and approvals are not a token's)."""
        session = self.sign_in(role)
        token = next(value for name, value in session.cookies.items() if "csrf" in name)
        headers = {"X-CSRFToken": token, "Referer": self.url, **more.pop("headers", {})}
        answer = session.post(f"{self.url}/api/v1/{path}", headers=headers, timeout=60, **more)
        assert answer.ok, f"{path}: {answer.status_code} {answer.text}"
        return answer.json()

    def upload(self, body: bytes) -> dict[str, Any]:
        """Upload a version of the demo's config as its author; return what the API answers."""
        version: dict[str, Any] = self.act(
            "author", "config?name=edge", data=body, headers={"Content-Type": "text/yaml"}
        )
        assert version["config_hash"] == hashlib.sha256(body).hexdigest()
        return version

    def start_rollout(self, version: int, plan: object, reason: str = "drill") -> int:
        """Start a rollout of a version of the demo's config to everyone; return its id."""
        order = {
            "config": "edge",
            "version": version,
            "plan": plan,
            "selector": "*",
            "start": True,
            "reason": reason,
        }
        return int(self.api("POST", "rollouts", json=order)["id"])

    def rollout(self, rollout_id: int) -> dict[str, Any]:
        """Return a rollout as the API shows it."""
        shown: dict[str, Any] = self.api("GET", f"rollouts/{rollout_id}")
        return shown

    def wait_finished(self, rollout_id: int, patience_s: float = 120.0) -> dict[str, Any]:
        """Wait for the end of a rollout, whatever it is; return the rollout."""

        def finished() -> dict[str, Any] | None:
            rollout = self.rollout(rollout_id)
            return rollout if rollout["state"] in FINAL_STATES else None

        return wait_for(finished, patience_s, lambda: self.explain(rollout_id), every_s=0.5)

    def explain(self, rollout_id: int) -> str:
        """Return what a person would look at when a rollout does not move."""
        events = self.api("GET", f"rollouts/{rollout_id}/events")["events"]
        shown = json.dumps([self.rollout(rollout_id), events], indent=1)
        return f"{shown}\n{self.log()}"

    def wait_connected(self, patience_s: float = 90.0) -> None:
        """Wait until every simulated agent is connected."""

        def connected() -> bool | None:
            agents = self.api("GET", "agents")["agents"]
            return sum(agent["connected"] for agent in agents) == self.agents or None

        wait_for(connected, patience_s, self.log)


def clean_environment() -> dict[str, str]:
    """Return the environment without the stores of the test run."""
    return {k: v for k, v in os.environ.items() if k not in _NOT_INHERITED}


def wait_for(
    ask: Callable[[], T | None],
    patience_s: float,
    explain: Callable[[], object],
    every_s: float = 0.1,
) -> T:
    """Return the first answer that is not None; fail with `explain()` after `patience_s`.

    A server that is just being started again may refuse the connection: that is no answer yet.
    """
    deadline = time.monotonic() + patience_s
    while True:
        try:
            answer = ask()
        except (requests.ConnectionError, requests.Timeout):
            answer = None
        if answer is not None:
            return answer
        assert time.monotonic() < deadline, f"not within {patience_s:g} s: {explain()}"
        time.sleep(every_s)


@contextmanager
def running(data_dir: Path, *, agents: int) -> Iterator[Product]:
    """Run the product for the length of a block."""
    product = Product(data_dir, agents=agents)
    try:
        product.start()
        yield product
    finally:
        if product.process is not None:
            product.stop()
