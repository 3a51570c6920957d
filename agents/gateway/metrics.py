"""What a gateway says about itself (spec section 8), served on its own port."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_AROUND_5S = (
    0.05,
    0.1,
    0.25,
    0.5,
    1.0,
    2.0,
    3.0,
    4.0,
    4.5,
    5.0,
    5.5,
    6.0,
    8.0,
    12.0,
    30.0,
    60.0,
    120.0,
)
_SHORT = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class Metrics:
    """The gateway's metrics in a registry of their own; the names of spec section 8 are contract."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.connected = Gauge(
            "opamp_server_connected_agents", "Agents connected now.", registry=registry
        )
        self.apply = Counter("opamp_config_apply", "Deliveries with an outcome.", registry=registry)
        self.apply_success = Counter(
            "opamp_config_apply_success", "Deliveries applied.", registry=registry
        )
        self.apply_fail = Counter(
            "opamp_config_apply_fail", "Deliveries failed.", registry=registry
        )
        self.apply_duration = Histogram(
            "opamp_config_apply_duration",
            "Seconds from offer to the agent's outcome.",
            buckets=_AROUND_5S,
            registry=registry,
        )
        self.ack_duration = Histogram(
            "opamp_config_ack_duration",
            "Seconds from offer to the agent's first status naming the hash.",
            buckets=_AROUND_5S,
            registry=registry,
        )
        self.disconnects = Counter(
            "opamp_agent_disconnects", "Agents gone.", ["reason"], registry=registry
        )
        self._own(registry)

    def _own(self, registry: CollectorRegistry) -> None:
        self.messages = Counter(
            "opamp_gateway_messages", "Messages received.", ["transport"], registry=registry
        )
        self.received = Counter(
            "opamp_gateway_received_bytes", "Bytes of messages received.", registry=registry
        )
        self.sent = Counter(
            "opamp_gateway_sent_bytes", "Bytes of messages sent.", registry=registry
        )
        self.refused = Counter(
            "opamp_gateway_refused",
            "Connections and messages refused.",
            ["reason"],
            registry=registry,
        )
        self.flush_size = Histogram(
            "opamp_gateway_flush_agents",
            "Agents written by one flush.",
            buckets=(1, 5, 10, 50, 100, 250, 500, 1000),
            registry=registry,
        )
        self.flush_duration = Histogram(
            "opamp_gateway_flush_duration",
            "Seconds of one flush.",
            buckets=_SHORT,
            registry=registry,
        )
        self.flush_lag = Gauge(
            "opamp_gateway_flush_lag_seconds",
            "Age of the oldest unwritten change.",
            registry=registry,
        )
        self.unwritten = Gauge(
            "opamp_gateway_unwritten_agents", "Agents with unwritten changes.", registry=registry
        )
        self.loop_lag = Histogram(
            "opamp_gateway_loop_lag",
            "Seconds the event loop was late.",
            buckets=_SHORT,
            registry=registry,
        )
        self.database_away = Gauge(
            "opamp_gateway_database_away",
            "1 while PostgreSQL cannot be reached.",
            registry=registry,
        )
        self.pushes = Counter(
            "opamp_gateway_pushes", "Messages sent without being asked.", registry=registry
        )
        self._of_tls(registry)

    def _of_tls(self, registry: CollectorRegistry) -> None:
        self.tls_handshakes = Counter(
            "opamp_gateway_tls_handshakes", "TLS handshakes.", ["result"], registry=registry
        )
        self.tls_reloads = Counter(
            "opamp_gateway_tls_reloads",
            "Changes of the TLS files or authorities, taken (ok) or not usable (failed).",
            ["result"],
            registry=registry,
        )
        self.tls_unusable = Gauge(
            "opamp_gateway_tls_files_unusable",
            "1 while the TLS files cannot be used and the earlier ones still serve.",
            registry=registry,
        )
        self.tls_expiry = Gauge(
            "opamp_gateway_tls_certificate_expiry_seconds",
            "When the certificate that agents are shown expires, in seconds since 1970.",
            registry=registry,
        )
        self.headers_ignored = Counter(
            "opamp_gateway_certificate_headers_ignored",
            "Headers with a client certificate that came from no trusted proxy, or under another name.",
            registry=registry,
        )
