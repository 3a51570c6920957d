"""What the session logic may know of the server it speaks for. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from agents.opamp import bits
from agents.opamp.opamp_pb2 import CustomCapabilities, ServerToAgent
from agents.opamp.settings import Offer, Settings, settings_hash

MEBIBYTE = 1024 * 1024


class ServerFacts:
    """Shared by all agents of a gateway; the gateway keeps it current.

    `config_parts` holds ServerToAgent.remote_config, serialized, by config hash; `signature_parts` the
    custom message with the signature of that config (security.md section 5). `fill_offer` puts
    what is the agent's own (its token for own metrics) into offered settings, given its id.
    """

    def __init__(
        self,
        *,
        new_uid: Callable[[], bytes],
        config_parts: Mapping[str, bytes],
        signature_parts: Mapping[str, bytes] | None = None,
        custom_capabilities: tuple[str, ...] = (),
        max_answer_bytes: int = 64 * MEBIBYTE,
    ) -> None:
        self.new_uid = new_uid
        self.config_parts = config_parts
        self.signature_parts: Mapping[str, bytes] = (
            {} if signature_parts is None else signature_parts
        )
        self.custom_capabilities = custom_capabilities
        self.max_answer_bytes = max_answer_bytes
        self.default_settings: Offer | None = None
        # The seam for upstream's message attestation (OP-58): wraps a serialized ServerToAgent.
        self.wrap: Callable[[bytes], bytes] | None = None
        self.fill_offer: Callable[[bytes, int], bytes] = lambda part, agent_id: part
        self.known_components: set[str] = {""}
        self.asked_components: dict[str, float] = {}
        self.full_asked_in: tuple[int, int] = (0, 0)
        self.full_per_s = 1000
        self.issue_certificates(is_on=False)

    def issue_certificates(self, *, is_on: bool) -> None:
        """Say from now on whether certificate requests are answered (OP-21, OP-45)."""
        self.issues_certificates = is_on
        self.capabilities = bits.SERVER_CAPABILITIES
        if is_on:
            self.capabilities |= bits.SERVER_ACCEPTS_CERTIFICATE_REQUESTS
        greeting = ServerToAgent(capabilities=self.capabilities)
        if self.custom_capabilities:
            greeting.custom_capabilities.CopyFrom(
                CustomCapabilities(capabilities=self.custom_capabilities)
            )
        self.greeting = greeting.SerializeToString()

    def offer(self, settings: Settings, offer_hash: str) -> Offer | None:
        """Return an agent's own settings ready to be sent, completed by everyone's; None when it has
        none any more.

        One offer names all own telemetry; what is left out of it an agent switches off
        (opamp-protocol.md 4.4).
        """
        if not settings:
            return None
        if self.default_settings is None:
            return Offer(settings, offer_hash)
        whole = {**self.default_settings.settings, **settings}
        return Offer(whole, settings_hash(whole, offer_hash))

    def may_ask_full(self, now: float) -> bool:
        """Pace ReportFullState: after a storm not everyone is asked at once."""
        second, count = self.full_asked_in
        if second != int(now):
            second, count = int(now), 0
        if count >= self.full_per_s:
            return False
        self.full_asked_in = (second, count + 1)
        return True

    def must_ask_components(self, components_hash: str, now: float) -> bool:
        """Whether nobody has told, or been asked for, the components behind this hash (OP-57)."""
        if components_hash in self.known_components:
            return False
        if now - self.asked_components.get(components_hash, 0.0) < 30.0:
            return False
        self.asked_components[components_hash] = now
        return True
