"""What the parts of a report change in the state of an agent. Pure.

A part that is present replaces the old one, one that is absent changes nothing (OP-17). A part
that the agent's capabilities do not announce is ignored (opamp-go sends some of them anyway).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, cast

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass

from agents.opamp import bits, scan
from agents.opamp.attributes import as_text, clean, clean_words, plain
from agents.opamp.config_words import (
    MAX_HASH_CHARS,
    known_status,
    note_well_again,
    take_config_status,
)
from agents.opamp.opamp_pb2 import (
    AgentDescription,
    AgentToServer,
    AvailableComponents,
    ComponentHealth,
    ConnectionSettingsStatus,
    CustomCapabilities,
    CustomMessage,
    EffectiveConfig,
)
from agents.opamp.outgoing import Rename
from agents.opamp.repair import Unreadable, repaired
from agents.opamp.requests.asking import AskedCertificate, read_asked
from agents.opamp.scan import Report
from agents.opamp.server_facts import ServerFacts
from agents.opamp.shown_config import is_judged_by_it
from agents.opamp.state import AgentState, CertificateAsked
from agents.opamp.trees import sick_component
from agents.opamp.wire import Malformed

_NEEDS = {
    scan.HEALTH: bits.REPORTS_HEALTH,
    scan.EFFECTIVE_CONFIG: bits.REPORTS_EFFECTIVE_CONFIG,
    scan.REMOTE_CONFIG_STATUS: bits.REPORTS_REMOTE_CONFIG,
    scan.PACKAGE_STATUSES: bits.REPORTS_PACKAGE_STATUSES,
    scan.COMPONENTS: bits.REPORTS_AVAILABLE_COMPONENTS,
    scan.SETTINGS_STATUS: bits.REPORTS_SETTINGS_STATUS,
}
_ONE_SHOT = frozenset({scan.CUSTOM_MESSAGE, scan.SETTINGS_REQUEST, scan.DISCONNECT})
# A config status is looked at each time: it may answer a newer offer of the same hash.
_ALWAYS_READ = _ONE_SHOT | {scan.REMOTE_CONFIG_STATUS}
_DESCRIPTORS: dict[int, Descriptor] = {
    field.number: cast(Descriptor, field.message_type)
    for field in AgentToServer.DESCRIPTOR.fields
    if field.message_type is not None
}
_KINDS: dict[int, Callable[[bytes], Message]] = {
    number: GetMessageClass(kind).FromString for number, kind in _DESCRIPTORS.items()
}
TAKING_TURNS_S = 300.0
_WHO = frozenset({"host.name", "host.id", "process.pid", "process.creation.time", "os.boot.id"})


class Part(NamedTuple):
    """One part of a report: its message, the bytes it was parsed from, a hash of those that came.

    `bad_texts` is the number of its texts that were not UTF-8 and have been made readable.
    """

    message: Any
    raw: bytes
    came: int
    bad_texts: int


def parse_changed(
    agent: AgentState, report: Report, server: ServerFacts, now: float
) -> dict[int, Part]:
    """Parse the parts that differ from the last ones. Raises Malformed for the whole message."""
    changed: dict[int, Part] = {}
    known = agent.part_hashes
    for number, raw in report.parts.items():
        came = hash(raw)
        is_same = number not in _ALWAYS_READ and known.get(number) == came
        if is_same and not (number == scan.EFFECTIVE_CONFIG and _waits_for_what_is_shown(agent)):
            continue
        try:
            changed[number] = Part(_KINDS[number](raw), raw, came, 0)
        except DecodeError as error:
            changed[number] = _mended(number, raw, came, error)
    if (request := changed.pop(scan.SETTINGS_REQUEST, None)) is not None:
        asked = read_asked(agent, request.message, report.uid, server, now)
        if asked is not None:
            changed[scan.SETTINGS_REQUEST] = request._replace(message=asked)
    return changed


def _mended(number: int, raw: bytes, came: int, error: DecodeError) -> Part:
    """Parse a part once more with its text made readable: one bad byte loses no report."""
    try:
        mended, bad_texts = repaired(_DESCRIPTORS[number], raw)
        return Part(_KINDS[number](mended), mended, came, bad_texts)
    except (Unreadable, DecodeError):
        raise Malformed(f"field {number} cannot be parsed: {error}") from error


def take_parts(
    agent: AgentState,
    changed: dict[int, Part],
    server: ServerFacts,
    *,
    restarted: bool,
    now: float,
) -> None:
    """Store what the parsed parts say. `restarted`: the agent's process is a new one."""
    if restarted:
        _forget_process(agent)
    # Its words first: they may leave to what it shows what it runs.
    for number in sorted(changed, key=scan.EFFECTIVE_CONFIG.__eq__):
        message, raw, came, bad_texts = changed[number]
        needs = _NEEDS.get(number, 0)
        if needs and not agent.capabilities & needs:
            continue
        is_same = agent.part_hashes.get(number) == came
        if number not in _ONE_SHOT:
            agent.part_hashes[number] = came
        if bad_texts:
            _note_bad_text(agent, number, bad_texts, now)
        if number == scan.DESCRIPTION:
            _take_description(agent, message, raw, server, now)
        elif number == scan.HEALTH:
            _take_health(agent, message, raw, restarted, now)
        elif number == scan.EFFECTIVE_CONFIG:
            _take_effective_config(agent, message, len(raw), is_same=is_same)
        elif number == scan.REMOTE_CONFIG_STATUS:
            take_config_status(agent, message, now)
        else:
            _take_rare(agent, number, message, raw, server, now)


def _note_bad_text(agent: AgentState, number: int, count: int, now: float) -> None:
    """Say it in the agent's history, once a connection for each part: it may come with each report."""
    if number not in agent.bad_text_parts:
        agent.bad_text_parts |= {number}
        part = AgentToServer.DESCRIPTOR.fields_by_number[number].name
        agent.change().event(now, "bad_text", part=part, texts=count)


def _forget_process(agent: AgentState) -> None:
    """A new process has not received what the old one was sent."""
    agent.offered_hash = ""
    agent.settings_sent_hash = ""
    if agent.wanted_settings is None:
        # Own telemetry alone: harmless to offer again, and a client that keeps nothing needs it.
        agent.settings_offered_hash = ""


def _take_description(
    agent: AgentState, message: AgentDescription, raw: bytes, server: ServerFacts, now: float
) -> None:
    agent.known = True
    changes = agent.change()
    changes.description = raw
    changes.visible = True
    _watch_identity(agent, message, server, now)


def _watch_identity(
    agent: AgentState, message: AgentDescription, server: ServerFacts, now: float
) -> None:
    """Notice two agents that take turns under one uid (OP-05): host or process changes to and fro.

    The one that came second gets a new uid, the same one each time it speaks.
    """
    identity = _identity(message)
    if identity == agent.identity:
        return
    before, seen_at = agent.identity_before
    is_back = identity == before and now - seen_at < TAKING_TURNS_S
    if is_back and agent.intruder is None:
        agent.intruder = (agent.identity, server.new_uid())
        agent.change().event(now, "duplicate", new_uid=agent.intruder[1].hex())
    elif agent.intruder is not None and agent.intruder[0] == identity:
        agent.outbox = [*(agent.outbox or ()), Rename(agent.intruder[1])]
    agent.identity_before = (agent.identity, now)
    agent.identity = identity


def _identity(message: AgentDescription) -> int:
    """Return a hash of the attributes that tell one process or host from another."""
    pairs = [*message.identifying_attributes, *message.non_identifying_attributes]
    return hash(tuple(sorted((p.key, as_text(plain(p.value))) for p in pairs if p.key in _WHO)))


def _take_health(
    agent: AgentState, message: ComponentHealth, raw: bytes, restarted: bool, now: float
) -> None:
    """Take health. Unhealthy without a reason is no finding before a process was healthy once:
    collectors say it, up to several times, while they start (interop.md section 2)."""
    healthy: bool | None = message.healthy
    if (restarted or agent.healthy is None) and not healthy and not message.last_error:
        healthy = None
    changes = agent.change()
    changes.status = True
    changes.body("health", message, len(raw))
    agent.health_status = clean(message.status, 64)
    agent.health_error = clean_words(message.last_error)
    agent.started_at = message.start_time_unix_nano
    sick = sick_component(message)
    if sick != agent.sick_component:
        changes.event(now, "component_health", says=sick or agent.sick_component, sick=bool(sick))
        agent.sick_component = sick
        agent.health_changed_at = now
        changes.visible = True
    if healthy != agent.healthy:
        if healthy is not None or agent.healthy is not None:
            changes.event(now, "health", healthy=healthy, error=agent.health_error[:500])
        agent.healthy = healthy
        agent.health_changed_at = now
        changes.visible = True
        if healthy:
            note_well_again(agent)
        elif healthy is False:
            changes.well.clear()
            agent.in_doubt = False


def _take_effective_config(
    agent: AgentState, message: EffectiveConfig, size: int, *, is_same: bool
) -> None:
    if not is_same:
        agent.change().body("effective_config", message, size)
    if is_judged_by_it(agent.capabilities) or agent.in_doubt or agent.doubted:
        agent.shown_config = message


def _waits_for_what_is_shown(agent: AgentState) -> bool:
    """Whether an effective config that was seen before may still be a word about an offer."""
    is_open = agent.desired_hash not in ("", agent.running_hash)
    return agent.in_doubt or (is_open and is_judged_by_it(agent.capabilities))


def _take_rare(
    agent: AgentState, number: int, message: Any, raw: bytes, server: ServerFacts, now: float
) -> None:
    if number == scan.COMPONENTS:
        _take_components(agent, message, raw, server)
    elif number == scan.CUSTOM_CAPABILITIES:
        _take_custom_capabilities(agent, message)
    elif number == scan.CUSTOM_MESSAGE:
        _take_custom_message(agent, message, server, now)
    elif number == scan.SETTINGS_STATUS:
        _take_settings_status(agent, message, now)
    elif number == scan.SETTINGS_REQUEST:
        _take_request(agent, message, now)


def _take_components(
    agent: AgentState, message: AvailableComponents, raw: bytes, server: ServerFacts
) -> None:
    """Remember the hash; the list, when there is one, serves all agents with it (OP-57)."""
    components_hash = message.hash.hex()[:MAX_HASH_CHARS]
    if components_hash != agent.components_hash:
        agent.components_hash = components_hash
        agent.change().capabilities = True
    if message.components and components_hash not in server.known_components:
        agent.change().components = raw
        server.known_components.add(components_hash)


def _take_custom_capabilities(agent: AgentState, message: CustomCapabilities) -> None:
    agent.accepts_custom = frozenset(clean(name, 256) for name in message.capabilities[:256])
    agent.change().capabilities = True


def _take_custom_message(
    agent: AgentState, message: CustomMessage, server: ServerFacts, now: float
) -> None:
    """Keep a message of a capability that both sides announced; others may be ignored (OP-56)."""
    if message.capability in server.custom_capabilities:
        agent.change().event(
            now,
            "custom_message",
            capability=message.capability,
            type=clean(message.type, 256),
            data=clean(message.data[:4096].decode(errors="replace")),
        )


def _take_settings_status(agent: AgentState, message: ConnectionSettingsStatus, now: float) -> None:
    agent.settings_hash = message.last_connection_settings_hash.hex()[:MAX_HASH_CHARS]
    agent.settings_status = known_status(message.status)
    agent.settings_error = clean_words(message.error_message)
    changes = agent.change()
    changes.status = changes.settings = changes.visible = True
    changes.event(
        now, "settings_status", status=agent.settings_status, settings_hash=agent.settings_hash
    )


def _take_request(agent: AgentState, asked: AskedCertificate, now: float) -> None:
    changes = agent.change()
    changes.requests[asked.digest] = CertificateAsked(asked.csr, now)
    changes.event(now, "certificate_asked", request=asked.digest)
