"""What a gateway remembers of one agent, and what of it is not yet stored. Pure.

`AgentState` is the newest truth about an agent while a gateway serves it; `Changes` collects what
the next flush must write. Times are seconds since 1970 (float), hashes lower-case hex.
"""

from __future__ import annotations

from enum import StrEnum

from google.protobuf.message import Message

from agents.opamp.opamp_pb2 import EffectiveConfig
from agents.opamp.outgoing import Said
from agents.opamp.settings import Offer

MAX_PENDING_EVENTS = 50


class Word(StrEnum):
    """The agent's own word for a delivery."""

    APPLIED = "applied"
    FAILED = "failed"


class DeliveryFact:
    """What became known of the open delivery of one hash since the last flush."""

    __slots__ = (
        "acknowledged_at",
        "confirmed_by",
        "error",
        "outcome",
        "sent_at",
        "settled_at",
    )

    def __init__(self) -> None:
        self.sent_at: float | None = None
        self.acknowledged_at: float | None = None
        self.settled_at: float | None = None
        self.outcome: Word | None = None
        self.error = ""
        self.confirmed_by = ""

    def settle(self, outcome: Word, now: float, error: str = "") -> None:
        """Record the outcome; the first one stays: a later healthy never undoes a FAILED."""
        if self.outcome is None:
            self.outcome = outcome
            self.settled_at = now
            self.error = error


class CertificateAsked:
    """A certificate request as it came, and who the connection spoke for (`Principal.name`)."""

    __slots__ = ("at", "csr", "principal")

    def __init__(self, csr: str, at: float) -> None:
        self.csr = csr
        self.at = at
        self.principal = ""


class Changes:
    """What the next flush writes for one agent. Latest values are read from the state itself.

    `refusals` are hashes it said FAILED for, with its words; `fallen` those it left by itself, with
    what it runs instead; `well` those it was seen running, not unhealthy, after all that.
    """

    __slots__ = (
        "bodies",
        "body_bytes",
        "capabilities",
        "components",
        "config_error",
        "deliveries",
        "description",
        "events",
        "fallen",
        "ordered_uid",
        "refusals",
        "requests",
        "settings",
        "status",
        "visible",
        "well",
    )

    def __init__(self) -> None:
        self.status = False
        self.visible = False
        self.capabilities = False
        self.settings = False
        self.ordered_uid = False
        self.description: bytes | None = None
        self.bodies: dict[str, Message] = {}
        self.body_bytes = 0
        self.components: bytes | None = None
        self.config_error: str | None = None
        self.deliveries: dict[str, DeliveryFact] = {}
        self.refusals: dict[str, str] = {}
        self.fallen: dict[str, str] = {}
        self.well: set[str] = set()
        self.events: list[tuple[float, str, dict[str, object]]] = []
        self.requests: dict[str, CertificateAsked] = {}

    def delivery(self, config_hash: str) -> DeliveryFact:
        """Return the fact of this hash, made on first use."""
        fact = self.deliveries.get(config_hash)
        if fact is None:
            fact = self.deliveries[config_hash] = DeliveryFact()
        return fact

    def body(self, part: str, message: Message, size: int) -> None:
        """Have a part stored in full. `size` is that of its bytes as they came."""
        self.bodies[part] = message
        self.body_bytes += size

    def event(self, now: float, kind: str, **details: object) -> None:
        """Add a line to the agent's history; beyond 50 unwritten ones the oldest go."""
        self.events.append((now, kind, details))
        if len(self.events) > MAX_PENDING_EVENTS:
            del self.events[0]

    def absorb_older(self, older: Changes) -> None:
        """Put back what a failed flush had taken: the newer value wins, facts are joined."""
        self.status |= older.status
        self.visible |= older.visible
        self.capabilities |= older.capabilities
        self.settings |= older.settings
        self.ordered_uid |= older.ordered_uid
        if self.description is None:
            self.description = older.description
        if self.components is None:
            self.components = older.components
        if self.config_error is None:
            self.config_error = older.config_error
        self.bodies = {**older.bodies, **self.bodies}
        self.body_bytes += older.body_bytes
        self.refusals = {**older.refusals, **self.refusals}
        self.fallen = {**older.fallen, **self.fallen}
        self.well |= older.well - self.refusals.keys() - self.fallen.keys()
        self.requests = {**older.requests, **self.requests}
        self.events = (older.events + self.events)[-MAX_PENDING_EVENTS:]
        for config_hash, fact in older.deliveries.items():
            newer = self.deliveries.get(config_hash)
            if newer is None:
                self.deliveries[config_hash] = fact
                continue
            newer.sent_at = fact.sent_at or newer.sent_at
            newer.acknowledged_at = fact.acknowledged_at or newer.acknowledged_at
            if fact.outcome is not None:
                newer.outcome, newer.settled_at = fact.outcome, fact.settled_at
                newer.error, newer.confirmed_by = fact.error, fact.confirmed_by


class AgentState:
    """One agent as this gateway knows it.

    `part_hashes` are hashes of the raw bytes of each reported part, to see at a glance that
    nothing changed. `offered_hash` is the config sent on this connection and not yet named by a
    status, `under_way` all that were sent and not yet answered, oldest first: an agent may go on with
    one after another is wanted of it. `must_send` is set by a new push and by nothing else. `refused` says that the desired
    hash is in this agent's refusal memory (OP-28). `missed` says that a message was refused unread
    and the full state has not been asked for since; `missed_frame` is the hash of the last such
    message when nothing but refused messages is missing. `shown_config` is an effective config that
    is the agent's word about what it runs and has not been read as such. `in_doubt` says that what it
    runs is to be read from what it shows: it has become healthy since it refused a config. `doubted`
    is a config that it refused and then said to run, unasked; "" when it shows that one or says more.
    """

    __slots__ = (
        "accepts_custom",
        "ack",
        "asked",
        "bad_text_parts",
        "capabilities",
        "changes",
        "components_hash",
        "config_error_hash",
        "config_hash",
        "config_losses",
        "config_lost_at",
        "config_status",
        "desired_change",
        "desired_hash",
        "doubted",
        "effective_hash",
        "former_hash",
        "full_asked_at",
        "full_owed",
        "greeted",
        "health_changed_at",
        "health_error",
        "health_status",
        "healthy",
        "held_key",
        "id",
        "identity",
        "identity_before",
        "in_doubt",
        "intruder",
        "known",
        "last_frame",
        "last_seen",
        "missed",
        "missed_frame",
        "must_send",
        "offered_at",
        "offered_hash",
        "open_hash",
        "ordered_uid",
        "outbox",
        "part_hashes",
        "refused",
        "refused_hash",
        "running_hash",
        "sequence_num",
        "settings_error",
        "settings_hash",
        "settings_offered_hash",
        "settings_sent_hash",
        "settings_status",
        "shown_config",
        "sick_component",
        "started_at",
        "uid",
        "under_way",
        "wanted_settings",
        "wedged_since",
    )

    def __init__(self, uid: bytes, agent_id: int) -> None:
        self.uid = uid
        self.id = agent_id
        self.ack = b"\x0a\x10" + uid
        self.changes: Changes | None = None
        self.known = False
        self.last_frame: int = 0
        self.last_seen = 0.0
        self.sequence_num = 0
        self.capabilities = 0
        self.greeted = False
        self.full_asked_at = 0.0
        self.full_owed = False
        self.missed = False
        self.missed_frame: int | None = None
        self.part_hashes: dict[int, int] = {}
        self.bad_text_parts: frozenset[int] = frozenset()
        self.identity = 0
        self.identity_before: tuple[int, float] = (0, 0.0)
        self.intruder: tuple[int, bytes] | None = None
        self.accepts_custom: frozenset[str] = frozenset()
        self.ordered_uid: bytes | None = None
        self.outbox: list[Said] | None = None
        self._clear_health()
        self._clear_config()
        self._clear_settings()

    def _clear_health(self) -> None:
        self.healthy: bool | None = None
        self.health_status = ""
        self.health_error = ""
        self.sick_component = ""
        self.health_changed_at: float | None = None
        self.started_at: int = 0

    def _clear_config(self) -> None:
        self.config_hash = ""
        self.config_status: int | None = None
        self.config_error_hash = ""
        self.running_hash = self.former_hash = ""
        self.refused_hash = self.wedged_since = ""
        self.in_doubt = False
        self.doubted = ""
        self.config_losses = 0
        self.config_lost_at: float | None = None
        self.effective_hash = ""
        self.shown_config: EffectiveConfig | None = None
        self.components_hash = ""
        self.desired_hash = ""
        self.desired_change = 0
        self.refused = False
        self.must_send = False
        self.open_hash = ""
        self.offered_hash = ""
        self.offered_at = 0.0
        self.under_way: tuple[str, ...] = ()

    def _clear_settings(self) -> None:
        self.wanted_settings: Offer | None = None
        self.settings_offered_hash = ""
        self.settings_sent_hash = ""
        self.settings_hash = ""
        self.settings_status: int | None = None
        self.settings_error = ""
        # Certificates it asked for within the last hour: digest of the request, when.
        self.asked: dict[str, float] | None = None
        # A key that was made here for it, until it is sent: SHA-256 of the public key, and the key's PEM.
        self.held_key: tuple[str, bytes] | None = None

    def change(self) -> Changes:
        """Return what waits for the next flush, made on first use."""
        if self.changes is None:
            self.changes = Changes()
        return self.changes

    def miss(self, frame: int | None = None) -> None:
        """A message was refused unread. No gap need show it, so the full state is owed (OP-15),
        unless that is all that was missed, and this message (`frame` is its hash) comes again.
        """
        is_all = not self.full_owed or (self.missed and self.missed_frame is not None)
        self.missed_frame = frame if is_all else None
        self.full_owed = self.missed = True

    def meet(self, now: float, *, is_new_session: bool) -> None:
        """Begin to speak on a connection. In a new session, what was sent before counts no more."""
        # Its first message is still to be handled; nobody may take it for silent until then.
        self.last_seen = now
        self.greeted = False
        if not is_new_session:
            return
        self.offered_hash = ""
        self.settings_sent_hash = ""
        self.bad_text_parts = frozenset()
        changes = self.change()
        changes.status = changes.visible = True
