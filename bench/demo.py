"""The main job, measured: start, delivery to a whole fleet, automatic rollback, pages meanwhile.

    python -m bench.demo [--agents 1000] [--rollouts 5] [--fresh-clone] [--json]

Starts a demo of its own (ports from the system, a temporary directory), drives it through the API and
reads the moments from its database. Nothing here is a test: numbers are for the reader.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import requests

from bench.gateway.servers import cpu_of, tree_of
from bench.machine import machine
from tests.product import ROOT, Product, clean_environment, wait_for

_EXAMPLES = ROOT / "console" / "demo" / "examples"
# The demo's fleet is told to meet versions with these words with refusals.
_BAD = "bench: bad"
_PLAN = {
    "phases": [
        {
            "name": "everyone",
            "weight": "100%",
            "duration": "5s",
            "success_criteria": [{"metric": "failure_rate", "operator": "<", "threshold": 0.02}],
        }
    ],
    "thresholds": {"failure_rate": {"warning": "1%", "critical": "5%"}},
    "health_grace": "1s",
    "bake": "1s",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One number and what it should be, in seconds."""

    what: str
    seconds: float
    goal_s: float | None
    note: str = ""


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.demo")
    parser.add_argument("--agents", type=int, default=1000)
    parser.add_argument("--rollouts", type=int, default=5, help="good ones, in a row (5)")
    parser.add_argument("--fresh-clone", action="store_true", help="time `make up` in a new clone")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    before = machine()
    with tempfile.TemporaryDirectory(prefix="tidegate bench ") as directory:
        rows = list(
            measure(Path(directory), args.agents, args.rollouts, fresh_clone=args.fresh_clone)
        )
    if args.json:
        about = {"machine": before, "agents": args.agents, "rows": [asdict(row) for row in rows]}
        print(json.dumps(about, indent=2))
        return
    print(f"{before}\n")
    for row in rows:
        goal = "" if row.goal_s is None else f"goal < {row.goal_s:g} s"
        print(f"{row.what:<58} {row.seconds:9.3f} s  {goal:<14} {row.note}")


def measure(directory: Path, agents: int, rollouts: int, *, fresh_clone: bool) -> Iterator[Row]:
    """Yield the numbers of issue-sized runs, one after the other."""
    faults = f"--fail-share 8% --faults-on '{_BAD}'"
    product = Product(directory / "data", agents=agents, simulate=faults)
    try:
        yield start(product, directory, fresh_clone=fresh_clone)
        began = time.monotonic()
        product.wait_connected(max(120, agents / 40))
        yield Row("fleet connected, after the start", time.monotonic() - began, None)
        with pages(product) as page_times:
            yield from delivery(product, page_times, rollouts)
            yield from rollback(product, page_times)
            times = sorted(page_times.seconds)
        yield Row(
            "rollout page P95 meanwhile", percentile(times, 0.95), 0.2, f"{len(times)} requests"
        )
        yield Row("stop, until no process is left", stop(product), 10)
    finally:
        if product.process is not None and product.process.poll() is None:
            product.stop()


def start(product: Product, directory: Path, *, fresh_clone: bool) -> Row:
    """Time the way to a page that can be used."""
    product.data_dir.mkdir(parents=True)
    began = time.monotonic()
    if fresh_clone:
        clone = directory / "clone"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
        options = " ".join(f'"{word}"' for word in product.command()[4:])
        command, cwd, what = ["make", "up", f"ARGS={options}"], clone, "make up in a fresh clone"
    else:
        command, cwd, what = product.command(), ROOT, "manage.py up --demo"
    with product.log_path.open("wb") as log:
        product.process = subprocess.Popen(
            command, stdout=log, stderr=log, cwd=cwd, env=clean_environment()
        )
    wait_for(lambda: _page_answers(product), 600, product.log, every_s=0.05)
    row = Row(f"{what}, to a usable page", time.monotonic() - began, 60)
    wait_for(lambda: "is ready" in product.log_path.read_text() or None, 120, product.log)
    return row


def _page_answers(product: Product) -> bool | None:
    assert product.process is not None
    if product.process.poll() is not None:
        raise SystemExit(product.log())
    return True if requests.get(f"{product.url}/login/", timeout=5).ok else None


def stop(product: Product) -> float:
    """Time the clean stop."""
    began = time.monotonic()
    product.stop()
    return time.monotonic() - began


def delivery(product: Product, page_times: PageTimes, rollouts: int) -> Iterator[Row]:
    """Roll good versions out to everybody at once, one after another; the last one is taken back."""
    last = 0
    for number in range(1, rollouts + 1):
        body = (_EXAMPLES / "edge-v2.yaml").read_bytes() + f"# bench: good {number}\n".encode()
        before, began = cpu_by_process(product), time.monotonic()
        rollout = run_rollout(product, body, page_times)
        took_s, used = time.monotonic() - began, cpu_by_process(product)
        _expect(rollout, "succeeded")
        last = rollout["id"]
        yield from confirmations(product, last, f"rollout {number} of {rollouts}")
        spent = {name: used[name] - before.get(name, 0.0) for name in used}
        shares = ", ".join(f"{name} {spent[name]:.1f}" for name in sorted(spent))
        yield Row(
            f"rollout {number}: CPU", sum(spent.values()), None, f"in {took_s:.0f} s: {shares}"
        )
    yield from everyone_back(product, last)


def confirmations(product: Product, rollout_id: int, which: str) -> Iterator[Row]:
    """Read when each agent was offered a version, took it and confirmed it."""
    moments = rows(
        product,
        "SELECT extract(epoch FROM d.settled_at - d.offered_at), "
        "extract(epoch FROM d.acknowledged_at - d.offered_at), "
        "extract(epoch FROM d.settled_at - r.created_at) "
        "FROM agents_delivery d JOIN rollouts_rollout r ON 'rollout:' || r.id = d.cause "
        "WHERE d.cause = %s AND d.settled_at IS NOT NULL",
        f"rollout:{rollout_id}",
    )
    settled = sorted(float(row[0]) for row in moments)
    acknowledged = sorted(float(row[1]) for row in moments if row[1] is not None)
    since_act = sorted(float(row[2]) for row in moments)
    yield Row(f"{which}: offered to acknowledged P95", percentile(acknowledged, 0.95), 5)
    yield Row(
        f"{which}: offered to confirmed P95", percentile(settled, 0.95), 5, f"{len(settled)} agents"
    )
    yield Row(f"{which}: operator's act to confirmed P95", percentile(since_act, 0.95), 5)
    yield Row(f"{which}: operator's act to confirmed, slowest", since_act[-1], None)


def cpu_by_process(product: Product) -> dict[str, float]:
    """Return the CPU seconds that each process of the product used so far, with its children."""
    return {name: cpu_of(tree_of(pid)) for name, pid in product.pids().items()}


def everyone_back(product: Product, rollout_id: int) -> Iterator[Row]:
    """Take a rollout back that the whole fleet runs: no other rollback has as many to wait for."""
    product.api("POST", f"rollouts/{rollout_id}/rollback", json={"reason": "bench"})
    _expect(product.wait_finished(rollout_id, 300), "rolled_back")
    _, decided_at, confirmed = way_back(product, rollout_id)
    yield _back("rollback of everyone, decision", decided_at, confirmed)


def rollback(product: Product, page_times: PageTimes) -> Iterator[Row]:
    """Roll out a version that some of the fleet cannot run, and watch it come back from all: most
    agents really run the new version when the guard acts.
    """
    body = (_EXAMPLES / "edge-v2.yaml").read_bytes() + f"# {_BAD}\n".encode()
    rollout = run_rollout(product, body, page_times)
    _expect(rollout, "rolled_back")
    breach_at, decided_at, confirmed = way_back(product, rollout["id"])
    yield _back("automatic rollback, breach", breach_at or decided_at, confirmed)
    yield _back("automatic rollback, decision", decided_at, confirmed)


def way_back(product: Product, rollout_id: int) -> tuple[datetime | None, datetime, list[datetime]]:
    """Return when a rollback was due, when it was decided, and when each agent confirmed it."""
    (breach_at, decided_at), *_ = rows(
        product,
        "SELECT breach_at, decided_at FROM rollouts_rollback WHERE rollout_id = %s",
        rollout_id,
    )
    confirmed = rows(
        product,
        "SELECT t.confirmed_at FROM rollouts_rollbacktarget t "
        "JOIN rollouts_rollback r ON r.id = t.rollback_id "
        "WHERE r.rollout_id = %s AND t.confirmed_at IS NOT NULL ORDER BY 1",
        rollout_id,
    )
    return breach_at, decided_at, [row[0] for row in confirmed]


def _back(what: str, since: datetime, confirmed: list[datetime]) -> Row:
    after = [(at - since).total_seconds() for at in confirmed]
    return Row(f"{what} to 99 % confirmed", percentile(after, 0.99), 30, f"{len(after)} agents")


def run_rollout(product: Product, body: bytes, page_times: PageTimes) -> dict[str, Any]:
    """Upload, start, wait for the end; pages are loaded meanwhile."""
    rollout_id = product.start_rollout(product.upload(body)["version"], _PLAN)
    page_times.watch(rollout_id)
    return product.wait_finished(rollout_id, 300)


def _expect(rollout: dict[str, Any], state: str) -> None:
    if rollout["state"] != state:
        raise SystemExit(f"the rollout ended {rollout['state']}: {rollout['why']}")


class PageTimes:
    """Loads the page of the present rollout five times a second, as a signed-in person."""

    def __init__(self, product: Product) -> None:
        self.seconds: list[float] = []
        self._product = product
        self._session = product.sign_in("operator")
        self._rollout_id: int | None = None
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pages")
        self._thread.start()

    def watch(self, rollout_id: int) -> None:
        self._rollout_id = rollout_id

    def stop(self) -> None:
        self._end.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._end.wait(0.2):
            if self._rollout_id is None:
                continue
            began = time.monotonic()
            answer = self._session.get(
                f"{self._product.url}/rollouts/{self._rollout_id}/", timeout=30
            )
            if answer.ok:
                self.seconds.append(time.monotonic() - began)
            else:
                print(f"rollout page answered {answer.status_code}", file=sys.stderr)


@contextlib.contextmanager
def pages(product: Product) -> Iterator[PageTimes]:
    """Load pages for the length of a block."""
    times = PageTimes(product)
    try:
        yield times
    finally:
        times.stop()


def rows(product: Product, query: str, *values: object) -> list[tuple[Any, ...]]:
    """Read from the demo's own database."""
    url = json.loads((product.data_dir / "env.json").read_text())["DATABASE_URL"]
    with psycopg.connect(url) as connection:
        return connection.execute(query.encode(), values).fetchall()


def percentile(sorted_values: list[float], share: float) -> float:
    """Return the value that `share` of the values do not exceed."""
    if not sorted_values:
        raise SystemExit("nothing was measured")
    return sorted_values[min(len(sorted_values) - 1, int(share * len(sorted_values)))]


if __name__ == "__main__":
    main()
