"""One simulated agent without sockets and clocks: messages and times in, messages out.

It behaves as the collector supervisor does (interop notes): acknowledges at once (APPLYING), applies
after a delay, reports APPLIED or FAILED for the hash it was given, keeps running the old
configuration after a refusal, says nothing when offered a hash it has settled already, and starts a
new connection with uid, sequence number and capabilities only.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from agents.opamp import bits
from agents.opamp import opamp_pb2 as pb
from agents.simulator import collector
from agents.simulator.effective import effective
from agents.simulator.faults import Behaviour, Fault, Outcome, outcome, without_faults
from agents.simulator.profile import Profile, under_new_uid

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
_PORT_TAKEN = "cannot start pipelines: listen tcp 0.0.0.0:4317: bind: address already in use"
_STOPPED = "pipeline stopped: exporter queue is full"
_EXITED = "Agent process PID=4711 exited unexpectedly, exit code=-1. Will restart in a bit..."
_WEDGED = (
    "config validation failed: invalid configuration: service::pipelines: service must have at "
    "least one pipeline"
)


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
    # Those of them that it did not run well: offered again, they meet the same fault again.
    spoiled: list[bytes] = field(default_factory=list)
    # Refuses everything until its storage is emptied.
    wedged: bool = False
    # How often its host was set up anew: each time under another uid.
    generation: int = 0


class SimulatedAgent:
    """The state of one agent. Times are seconds of one monotonic clock, given by the caller."""

    __slots__ = (
        "_before",
        "_behaviour",
        "_error",
        "_is_new_process",
        "_offer",
        "_offer_outcome",
        "_sequence",
        "_started_ns",
        "_strikes",
        "_strikes_after_s",
        "capabilities",
        "dead",
        "due_at",
        "first_uid",
        "gone",
        "healthy",
        "heartbeat_s",
        "memory",
        "profile",
        "reborn",
        "uid",
    )

    def __init__(
        self, profile: Profile, behaviour: Behaviour, memory: Memory, started_ns: int
    ) -> None:
        self.profile = under_new_uid(profile, memory.generation) if memory.generation else profile
        self.first_uid, self.uid = profile.instance_uid, self.profile.instance_uid
        self.memory = memory
        self.capabilities = CAPABILITIES
        if behaviour.has(profile, Fault.EFFECTIVE_ONLY):
            self.capabilities &= ~bits.REPORTS_REMOTE_CONFIG
        if behaviour.has(profile, Fault.NO_HEARTBEAT):
            self.capabilities &= ~bits.REPORTS_HEARTBEAT
        # Dead: says nothing more on its open connection. Gone: has no connection any more.
        # Reborn: its process is a new one, which has to connect anew.
        self.dead = self.gone = self.reborn = False
        self.healthy = True
        self.heartbeat_s: float | None = None
        self.due_at: float | None = None
        self._behaviour = behaviour
        self._started_ns = started_ns
        self._is_new_process = False
        self._error = ""
        self._before: tuple[bytes, dict[str, bytes]] = (b"", {})
        self._strikes: Fault | None = None
        self._strikes_after_s = 0.0
        self._sequence = 0
        self._offer: tuple[bytes, dict[str, bytes]] | None = None
        self._offer_outcome: Outcome | None = None

    def hello(self, *, again: bool) -> pb.AgentToServer:
        """Return the first message of a connection; `again`: the server has seen us before."""
        if again and not self._is_new_process:
            return self._message()
        self._is_new_process = False
        return self._full()

    @property
    def beats(self) -> bool:
        """Whether it sends heartbeats over a WebSocket."""
        return bool(self.capabilities & bits.REPORTS_HEARTBEAT)

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
        if self.dead or self.gone:
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
        if self.due_at is None or now < self.due_at or self.dead or self.gone:
            return []
        self.due_at = None
        if self._offer is not None:
            return self._settle(now)
        return self._strike(now)

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
        result = self._outcome(offer.config_hash, files)
        if Fault.DEATH in result.faults:
            self.dead = True
            return []
        if Fault.SILENT in result.faults:
            return []
        self._offer, self._offer_outcome = (offer.config_hash, files), result
        self.due_at, self._strikes = now + result.delay_s, None
        return self._status(offer.config_hash, _APPLYING)

    def _outcome(self, config_hash: bytes, files: dict[str, bytes]) -> Outcome:
        memory, behaviour = self.memory, self._behaviour
        ran_well = config_hash in memory.history and config_hash not in memory.spoiled
        if ran_well or not behaviour.concerns(files):
            behaviour = without_faults(behaviour)
        return outcome(self.profile, config_hash, behaviour)

    def _settle(self, now: float) -> list[pb.AgentToServer]:
        assert self._offer is not None
        assert self._offer_outcome is not None
        config_hash, files = self._offer
        result = self._offer_outcome
        self._offer = self._offer_outcome = None
        if Fault.WEDGED in result.faults or self.memory.wedged:
            return self._wedge(config_hash)
        error = collector.refusal(files, self.profile.components)
        if error is None and Fault.FAIL in result.faults:
            error = _PORT_TAKEN
        if error is not None:
            return self._status(config_hash, _FAILED, error)
        self._before = self.memory.running, self.memory.files
        self._run(config_hash, files)
        if result.strikes is not None:
            self._strikes, self._strikes_after_s = result.strikes, result.after_s
            self.due_at = now + result.after_s
        return self._status(config_hash, _APPLIED, with_config=True)

    def _wedge(self, config_hash: bytes) -> list[pb.AgentToServer]:
        """Refuse; the collector is down and what it ran lies over every file that comes."""
        self.memory.wedged = True
        self.memory.running, self.memory.files = b"", {}
        self.healthy, self._error = False, _WEDGED
        return [*self._status(config_hash, _FAILED, _WEDGED), self._health()]

    def _strike(self, now: float) -> list[pb.AgentToServer]:
        """Let the fault happen that was waited for after APPLIED."""
        fault, memory = self._strikes, self.memory
        assert fault is not None
        if fault is not Fault.RE_IMAGED and memory.running not in memory.spoiled:
            memory.spoiled.append(memory.running)
        if fault is Fault.FALL_BACK:
            return self._fall_back()
        if fault is Fault.VANISH:
            self.gone = True
            return []
        if fault in (Fault.LOSE_STORAGE, Fault.RE_IMAGED):
            self._start_from_nothing(fault)
            return []
        if fault is Fault.FLAP:
            self.due_at = now + self._strikes_after_s
        self.healthy = fault is Fault.FLAP and not self.healthy
        if not self.healthy:
            self._error = _EXITED if fault is Fault.CRASH else _STOPPED
        return [self._health()]

    def _fall_back(self) -> list[pb.AgentToServer]:
        config_hash, files = self._before
        self._run(config_hash, files)
        status = _APPLIED if config_hash else pb.RemoteConfigStatuses_UNSET
        return self._status(config_hash, status, with_config=True)

    def _start_from_nothing(self, fault: Fault) -> None:
        """A new process that knows of no configuration; on a host set up anew, with a new uid."""
        old = self.memory
        self.memory = Memory(history=old.history, spoiled=old.spoiled, generation=old.generation)
        if fault is Fault.RE_IMAGED:
            # It is set up from an image that has been put right: it happens once.
            self.memory.generation += 1
            self.profile = under_new_uid(self.profile, self.memory.generation)
            self.uid = self.profile.instance_uid
        self.reborn = self._is_new_process = True
        self._sequence = 0

    def _run(self, config_hash: bytes, files: dict[str, bytes]) -> None:
        self.memory.running, self.memory.files = config_hash, files
        if config_hash:
            self.memory.history = [*self.memory.history, config_hash][-_MOST_HASHES_REMEMBERED:]
        self.healthy, self._error = True, ""

    def _restart(self) -> pb.AgentToServer:
        self._offer, self.due_at, self._strikes = None, None, None
        if not self.memory.wedged:
            self.healthy, self._error = True, ""
        return self._health()

    def _message(self) -> pb.AgentToServer:
        self._sequence += 1
        return pb.AgentToServer(
            instance_uid=self.uid, sequence_num=self._sequence, capabilities=self.capabilities
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
        if self._reports_status:
            self._add_status(message)
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

    @property
    def _reports_status(self) -> bool:
        return bool(self.capabilities & bits.REPORTS_REMOTE_CONFIG)

    def _status(
        self,
        config_hash: bytes,
        status: pb.RemoteConfigStatuses,
        error: str = "",
        *,
        with_config: bool = False,
    ) -> list[pb.AgentToServer]:
        """Return what it says of a configuration: nothing, when it reports no status and runs
        what it ran before."""
        self.memory.last_hash = config_hash
        self.memory.last_status = status
        self.memory.last_error = error
        if not (self._reports_status or with_config):
            return []
        message = self._message()
        if self._reports_status:
            self._add_status(message)
        if with_config:
            self._add_config(message)
            self._add_health(message)
        return [message]

    def _health(self) -> pb.AgentToServer:
        message = self._message()
        self._add_health(message)
        return message

    def _add_status(self, message: pb.AgentToServer) -> None:
        status = message.remote_config_status
        status.last_remote_config_hash = self.memory.last_hash
        status.status = self.memory.last_status
        status.error_message = self.memory.last_error

    def _add_health(self, message: pb.AgentToServer) -> None:
        health = message.health
        health.healthy = self.healthy
        health.start_time_unix_nano = self._started_ns
        health.status = "StatusOK" if self.healthy else "StatusRecoverableError"
        health.last_error = self._error

    def _add_config(self, message: pb.AgentToServer) -> None:
        config_map = message.effective_config.config_map.config_map
        for name, body in self.memory.files.items():
            # Such agents are told apart by this alone: it is spelt as a real collector spells it.
            config_map[name].body = body if self._reports_status else effective(body)
