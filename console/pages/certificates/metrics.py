"""What the console's /metrics says of certificates; read from rows at each scrape, so every process of
the console says the same (take the maximum, not the sum)."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils import timezone
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from certs.models import Certificate
from console.pages.certificates.numbers import results, soonest_end, standing


class CertificateCollector(Collector):
    """Reads the numbers when it is asked for them."""

    def describe(self) -> Iterable[Metric]:
        return []

    def collect(self) -> Iterable[Metric]:
        now = timezone.now()
        end = soonest_end()
        expiry = GaugeMetricFamily(
            "opamp_cert_expiry_seconds",
            "Seconds until the first certificate in use ends; absent when none is in use.",
        )
        if end is not None:
            expiry.add_metric([], (end - now).total_seconds())
        rotation = CounterMetricFamily(
            "opamp_cert_rotation", "Certificates offered to agents, by result.", labels=["result"]
        )
        for name, count in results().items():
            rotation.add_metric([name], count)
        numbers = standing(Certificate.objects.all(), now)
        rate = GaugeMetricFamily(
            "opamp_cert_rotation_success_ratio",
            "Share of certificates of the last 30 days that were proved in use; absent when none.",
        )
        if numbers.success_rate is not None:
            rate.add_metric([], numbers.success_rate)
        paused = GaugeMetricFamily("opamp_cert_rotation_paused", "1 while renewals are held up.")
        paused.add_metric([], float(numbers.pause is not None))
        return [expiry, rotation, rate, paused]


REGISTRY = CollectorRegistry()
REGISTRY.register(CertificateCollector())
