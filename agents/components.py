"""The names of collector components over time. Pure.

Collectors rename components and go on accepting the old name as an alias, but report only the new
one among their available components; older builds know only the old one. So a name is right for a
build that reports any name of the same component.

Each line is one `deprecated_type` of a component's metadata.yaml (collector core and contrib); to
follow a new release, add its lines.
"""

from __future__ import annotations

from collections.abc import Container, Iterable

# kind, old name, present name; each as of release 0.165 or earlier.
_RENAMED = (
    ("connector", "spanmetrics", "span_metrics"),
    ("exporter", "otlp", "otlp_grpc"),
    ("exporter", "otlphttp", "otlp_http"),
    ("exporter", "prometheusremotewrite", "prometheus_remote_write"),
    ("processor", "cumulativetodelta", "cumulative_to_delta"),
    ("processor", "deltatocumulative", "delta_to_cumulative"),
    ("processor", "metricstarttime", "metric_start_time"),
    ("processor", "metricstransform", "metrics_transform"),
    ("processor", "resourcedetection", "resource_detection"),
    ("receiver", "filelog", "file_log"),
    ("receiver", "fluentforward", "fluent_forward"),
    ("receiver", "hostmetrics", "host_metrics"),
    ("receiver", "kubeletstats", "kubelet_stats"),
    ("receiver", "tcplog", "tcp_log"),
    ("receiver", "udplog", "udp_log"),
)
_PRESENT = {f"{kind}:{old}": present for kind, old, present in _RENAMED}


def present_name(component: str) -> str:
    """Return `exporter:otlphttp` as `exporter:otlp_http`; a name that never changed as it is."""
    present = _PRESENT.get(component)
    return f"{component.partition(':')[0]}:{present}" if present else component


def lacking(needed: Iterable[str], reported: Container[str]) -> list[str]:
    """Return, sorted, what of `needed` a build does not have that reports `reported`.

    An old name is right where the present one is reported: it is an alias there. A present name is
    wrong where only the old one is: that build is older than the renaming.
    """
    return sorted(
        name for name in needed if name not in reported and present_name(name) not in reported
    )


def present_id(section: str, component: str) -> str:
    """Return the id `otlphttp/eu` of a section or a pipeline's role `exporters` as `otlp_http/eu`.

    Where a pipeline names a connector, the section is that of its role.
    """
    kind = section.removesuffix("s")
    old, slash, name = component.partition("/")
    present = _PRESENT.get(f"{kind}:{old.strip()}")
    if present is None and kind in ("receiver", "exporter"):
        present = _PRESENT.get(f"connector:{old.strip()}")
    return f"{present}{slash}{name}" if present else component
