"""One simulated agent without sockets and clocks: messages and times in, messages out.

It behaves as the collector supervisor does (interop notes): acknowledges at once (APPLYING), applies
after a delay, reports APPLIED or FAILED for the hash it was given, keeps running the old
configuration after a refusal, says nothing when offered a hash it has settled already, and starts a
new connection with uid, sequence number and capabilities only.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

from agents.opamp import bits
from agents.opamp import opamp_pb2 as pb
from agents.simulator import collector
from agents.simulator.faults import Behaviour, Outcome, outcome, without_faults
from agents.simulator.profile import Profile

CAPABILITIES = (
    bits.REPORTS_STATUS
    | bits.ACCEPTS_REMOTE_CONFIG
    | bits.REPORTS_EFFECTIVE_CONFIG
    | bits.ACCEPTS_RESTART_COMMAND
    | bits.REPORTS_HEALTH
    | bits.REPORTS_REMOTE_CONFIG
    | bits.REPORTS_OWN_METRICS
    | bits.REPORTS_HEARTBEAT
    | bits.REPORTS_AVAILABLE_COMPONENTS
)
_APPLIED = pb.RemoteConfigStatuses_APPLIED
_APPLYING = pb.RemoteConfigStatuses_APPLYING
_FAILED = pb.RemoteConfigStatuses_FAILED
_MOST_HASHES_REMEMBERED = 20


class Next(enum.Enum):
    """What an agent waits for."""

    SETTLE = "settle"
    SICKEN = "sicken"


@dataclass(slots=True)
class Memory:
    """What an agent keeps over a restart. Hashes as bytes; `files` is what it runs now."""

    running: bytes = b""
    files: dict[str, bytes] = field(default_factory=dict)
    last_hash: bytes = b""
    last_status: pb.RemoteConfigStatuses = pb.RemoteConfigStatuses_UNSET
    last_error: str = ""
    # Where to send own metrics, and the Authorization to do it with; "" means nowhere.
    metrics_url: str = ""
    metrics_authorization: str = ""
    # Every hash that it began to run, in order: how tests see what really happened.
    history: list[bytes] = field(default_factory=list)


class SimulatedAgent:
    """The state of one agent. Times are seconds of one monotonic clock, given by the caller."""

    __slots__ = (
        "_behaviour",
        "_offer",
        "_offer_outcome",
        "_sequence",
        "_started_ns",
        "dead",
        "due_at",
        "healthy",
        "heartbeat_s",
        "memory",
        "profile",
        "uid",
        "waits_for",
    )

    def __init__(
        self, profile: Profile, behaviour: Behaviour, memory: Memory, started_ns: int
    ) -> None:
        self.profile = profile
        self.uid = profile.instance_uid
        self.memory = memory
        self.dead = False
        self.healthy = True
        self.heartbeat_s: float | None = None
        self.due_at: float | None = None
        self.waits_for: Next | None = None
        self._behaviour = behaviour
        self._started_ns = started_ns
        self._sequence = 0
        self._offer: tuple[bytes, dict[str, bytes]] | None = None
        self._offer_outcome: Outcome | None = None

    def hello(self, *, again: bool) -> pb.AgentToServer:
        """Return the first message of a connection; `again`: the server has seen us before."""
        return self._message() if again else self._full()

    def heartbeat(self) -> pb.AgentToServer:
        """Return the message that says only that we live."""
        return self._message()

    def goodbye(self) -> pb.AgentToServer:
        """Return the last message before a clean end."""
        message = self._message()
        message.agent_disconnect.SetInParent()
        return message

    def receive(self, message: pb.ServerToAgent, now: float) -> list[pb.AgentToServer]:
        """Take in a server's message; return what to send at once."""
        if self.dead:
            return []
        replies: list[pb.AgentToServer] = []
        if message.HasField("command"):
            return [self._restart()]
        if message.HasField("connection_settings"):
            self._take_settings(message.connection_settings)
        if len(message.agent_identification.new_instance_uid) == 16:
            self.uid = message.agent_identification.new_instance_uid
            replies.append(self._full())
        elif message.flags & bits.REPORT_FULL_STATE:
            replies.append(self._full())
        if message.flags & bits.REPORT_AVAILABLE_COMPONENTS:
            replies.append(self._components())
        if message.HasField("remote_config"):
            replies += self._take_offer(message.remote_config, now)
        return replies

    def due(self, now: float) -> list[pb.AgentToServer]:
        """Do what was waited for, if its time has come; return what to send."""
        if self.due_at is None or now < self.due_at or self.dead:
            return []
        waited_for, self.due_at, self.waits_for = self.waits_for, None, None
        if waited_for is Next.SICKEN:
            self.healthy = False
            return [self._health("pipeline stopped: exporter queue is full")]
        return self._settle(now)

    @property
    def own_metrics(self) -> tuple[str, dict[str, str]] | None:
        """Where its own metrics go and with which headers, None when nobody asked for them."""
        if not self.memory.metrics_url:
            return None
        authorization = self.memory.metrics_authorization
        return self.memory.metrics_url, {"Authorization": authorization} if authorization else {}

    def _take_settings(self, settings: pb.ConnectionSettingsOffers) -> None:
        if settings.HasField("own_metrics"):
            given = {header.key: header.value for header in settings.own_metrics.headers.headers}
            self.memory.metrics_url = settings.own_metrics.destination_endpoint
            self.memory.metrics_authorization = given.get("Authorization", "")
        if settings.opamp.heartbeat_interval_seconds:
            self.heartbeat_s = float(settings.opamp.heartbeat_interval_seconds)

    def _take_offer(self, offer: pb.AgentRemoteConfig, now: float) -> list[pb.AgentToServer]:
        if offer.config_hash == self.memory.last_hash and self.memory.last_status != _APPLYING:
            return []
        if self._offer is not None and self._offer[0] == offer.config_hash:
            return []
        files = {name: file.body for name, file in offer.config.config_map.items()}
        known = offer.config_hash in self.memory.history
        behaviour = self._behaviour
        if known or not behaviour.concerns(files):
            behaviour = without_faults(behaviour)
        result = outcome(self.profile, offer.config_hash, behaviour)
        if result.dies:
            self.dead = True
            return []
        self._offer, self._offer_outcome = (offer.config_hash, files), result
        self.due_at, self.waits_for = now + result.delay_s, Next.SETTLE
        return [self._status(offer.config_hash, _APPLYING)]

    def _settle(self, now: float) -> list[pb.AgentToServer]:
        assert self._offer is not None
        assert self._offer_outcome is not None
        config_hash, files = self._offer
        result = self._offer_outcome
        self._offer = self._offer_outcome = None
        error = collector.refusal(files, self.profile.components)
        if error is None and result.refuses:
            error = "cannot start pipelines: listen tcp 0.0.0.0:4317: bind: address already in use"
        if error is not None:
            return [self._status(config_hash, _FAILED, error)]
        self._run(config_hash, files)
        message = self._status(config_hash, _APPLIED)
        self._add_config(message)
        self._add_health(message)
        if result.sickens_after_s is not None:
            self.due_at, self.waits_for = now + result.sickens_after_s, Next.SICKEN
        return [message]

    def _run(self, config_hash: bytes, files: dict[str, bytes]) -> None:
        self.memory.running, self.memory.files = config_hash, files
        self.memory.history = [*self.memory.history, config_hash][-_MOST_HASHES_REMEMBERED:]
        self.healthy = True

    def _restart(self) -> pb.AgentToServer:
        self._offer, self.due_at, self.waits_for = None, None, None
        self.healthy = True
        return self._health("")

    def _message(self) -> pb.AgentToServer:
        self._sequence += 1
        return pb.AgentToServer(
            instance_uid=self.uid, sequence_num=self._sequence, capabilities=CAPABILITIES
        )

    def _full(self) -> pb.AgentToServer:
        message = self._message()
        described = message.agent_description
        for key, value in self.profile.identifying.items():
            described.identifying_attributes.add(key=key).value.string_value = value
        for key, value in self.profile.attributes.items():
            described.non_identifying_attributes.add(key=key).value.string_value = value
        self._add_health(message)
        self._add_config(message)
        status = message.remote_config_status
        status.last_remote_config_hash = self.memory.last_hash
        status.status = self.memory.last_status
        status.error_message = self.memory.last_error
        message.available_components.hash = self.profile.components_hash
        return message

    def _components(self) -> pb.AgentToServer:
        message = self._message()
        available = message.available_components
        available.hash = self.profile.components_hash
        version = self.profile.identifying["service.version"]
        for section, names in self.profile.components.items():
            for name in names:
                details = available.components[section].sub_component_map[name]
                module = f"go.opentelemetry.io/collector/{section[:-1]}/{name}{section[:-1]}"
                details.metadata.add(
                    key="code.namespace"
                ).value.string_value = f"{module} v{version}"
        return message

    def _status(
        self, config_hash: bytes, status: pb.RemoteConfigStatuses, error: str = ""
    ) -> pb.AgentToServer:
        self.memory.last_hash = config_hash
        self.memory.last_status = status
        self.memory.last_error = error
        message = self._message()
        message.remote_config_status.last_remote_config_hash = config_hash
        message.remote_config_status.status = status
        message.remote_config_status.error_message = error
        return message

    def _health(self, error: str) -> pb.AgentToServer:
        message = self._message()
        self._add_health(message, error)
        return message

    def _add_health(self, message: pb.AgentToServer, error: str = "") -> None:
        health = message.health
        health.healthy = self.healthy
        health.start_time_unix_nano = self._started_ns
        health.status = "StatusOK" if self.healthy else "StatusRecoverableError"
        health.last_error = error

    def _add_config(self, message: pb.AgentToServer) -> None:
        for name, body in self.memory.files.items():
            message.effective_config.config_map.config_map[name].body = body
