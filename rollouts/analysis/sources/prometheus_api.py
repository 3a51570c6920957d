"""The query API of Prometheus and its kin (Mimir, Thanos), asked through the safe outbound client.

An answer is typed: samples, or `Trouble` with what a person needs to know. A server that gives no
answer is left alone for a while, so that one that hangs does not hold up every reading.
"""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from django.conf import settings

from console.lib.texts import Text, said
from console.lib.web.http import AddressRefused, Outbound, Unreachable, host_of

QUERY_TIMEOUT_S = 8.0
# All queries of one reading of one rollout together.
BUDGET_S = 10.0
LEFT_ALONE_S = 20.0
# A fleet's series under two names each, with the labels that name agents.
MOST_SERIES = 50_000
MOST_BYTES = 24 * 1024 * 1024
MOST_TOLD_CHARS = 300


class Trouble(Exception):
    """No usable answer; `says` why, for the gate's note. No ValueError: those are of an answer that
    cannot be read, which is one trouble of several."""

    def __init__(self, code: str, **params: Any) -> None:
        self.says = Text(code, params)
        super().__init__(self.says)

    def __str__(self) -> str:
        return said(self.says)


@dataclass(frozen=True, slots=True)
class Sample:
    """One series of an instant answer. `value` is finite."""

    labels: Mapping[str, str]
    value: float


class _Away:
    """Since when the server gives no answer, shared by the threads of a process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._since: datetime | None = None
        self._until = 0.0

    def check(self) -> None:
        with self._lock:
            if self._since is not None and time.monotonic() < self._until:
                raise Trouble("prometheus.away_since", since=f"{self._since:%H:%M:%S} UTC")

    def failed(self) -> None:
        with self._lock:
            self._since = self._since or datetime.now(UTC)
            self._until = time.monotonic() + LEFT_ALONE_S

    def answered(self) -> None:
        with self._lock:
            self._since = None


_away: dict[str, _Away] = {}


class PrometheusApi:
    """Asks instant queries. One object serves one reading: its time budget is for all its queries."""

    def __init__(
        self,
        url: str,
        *,
        tenant: str = "",
        token: str = "",
        ca_file: str = "",
        budget_s: float = BUDGET_S,
    ) -> None:
        self._url = url.rstrip("/") + "/api/v1/query"
        self._headers = {}
        if tenant:
            self._headers["X-Scope-OrgID"] = tenant
        if token:
            self._headers["Authorization"] = f"Bearer {token}"
        self._ca_file = ca_file
        self._deadline = time.monotonic() + budget_s
        self._away = _away.setdefault(url, _Away())

    @classmethod
    def from_settings(cls, *, budget_s: float = BUDGET_S) -> PrometheusApi | None:
        """Return the API of PROMETHEUS_URL, None when it is not set."""
        if not settings.PROMETHEUS_URL:
            return None
        return cls(
            settings.PROMETHEUS_URL,
            tenant=settings.PROMETHEUS_TENANT,
            token=settings.PROMETHEUS_TOKEN,
            ca_file=settings.PROMETHEUS_CA_FILE,
            budget_s=budget_s,
        )

    def query(self, promql: str, at: datetime) -> list[Sample]:
        """Return the samples of an instant query; NaN is left out. Raises Trouble."""
        self._away.check()
        left_s = min(QUERY_TIMEOUT_S, self._deadline - time.monotonic())
        if left_s <= 0.1:
            raise Trouble("prometheus.out_of_time", seconds=BUDGET_S)
        try:
            client = Outbound(
                allow=[host_of(self._url)],
                ca_file=self._ca_file,
                timeout_s=left_s,
                max_bytes=MOST_BYTES,
            )
            form = {"query": promql, "time": f"{at.timestamp():.3f}", "timeout": f"{left_s:.1f}"}
            response = client.post(
                self._url,
                urlencode(form).encode(),
                "application/x-www-form-urlencoded",
                self._headers,
            )
        except Unreachable as error:
            self._away.failed()
            raise Trouble("prometheus.no_answer", error=error.detail) from error
        except AddressRefused as error:
            raise Trouble("prometheus.bad_url", error=error.detail) from error
        self._away.answered()
        return _samples(_result(response.status, response.body))


def _result(status: int, body: bytes) -> Any:
    """Return `data` of an answer. A partial answer is none: what is missing may be what is bad."""
    try:
        answer = json.loads(body)
        is_ok = answer["status"] == "success"
    except (ValueError, TypeError, KeyError, RecursionError):
        raise Trouble("prometheus.no_json", status=status) from None
    if not is_ok:
        raise Trouble("prometheus.refuses", error=told(answer.get("error", status)))
    warnings = answer.get("warnings")
    if warnings:
        first = warnings[0] if isinstance(warnings, list) else warnings
        raise Trouble("prometheus.partial", warning=told(first))
    return answer.get("data")


def told(found: object, most: int = MOST_TOLD_CHARS) -> str:
    """Return what somebody else's server said as text that can be kept and shown."""
    text = str(found)[:most].replace("\x00", "\ufffd")
    return text.encode(errors="replace").decode()


def _samples(data: Any) -> list[Sample]:
    try:
        kind, result = data["resultType"], data["result"]
        if kind == "scalar":
            result = [{"metric": {}, "value": result}]
        elif kind != "vector":
            raise Trouble("prometheus.wrong_kind", kind=told(kind))
        if len(result) > MOST_SERIES:
            raise Trouble("prometheus.too_many_series", count=len(result), most=MOST_SERIES)
        found = [_sample(series["metric"], series["value"]) for series in result]
    except (KeyError, TypeError, ValueError) as error:
        raise Trouble("prometheus.unreadable", error=type(error).__name__) from error
    if any(math.isinf(sample.value) for sample in found):
        raise Trouble("prometheus.infinite")
    return [sample for sample in found if not math.isnan(sample.value)]


def _sample(labels: Any, pair: Any) -> Sample:
    """Return one series. Values come as text, so that none is lost on the way through JSON."""
    if not isinstance(labels, dict) or not isinstance(pair, list):
        raise TypeError("labels are an object, a value is a list")
    _, value = pair
    if not all(isinstance(text, str) for text in (value, *labels.values())):
        raise TypeError("labels and values are text")
    return Sample(labels, float(value))
