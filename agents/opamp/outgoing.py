"""What a server says to one agent at most once: commands, custom messages, a new uid. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from agents.opamp import bits
from agents.opamp.opamp_pb2 import (
    AgentIdentification,
    CommandType_Restart,
    CustomMessage,
    ServerErrorResponse,
    ServerErrorResponseType_BadRequest,
    ServerToAgent,
    ServerToAgentCommand,
)


@dataclass(frozen=True, slots=True)
class Restart:
    """Restart the agent. Sent as a message of its own, with capabilities only (OP-54)."""

    def allowed(self, capabilities: int, accepts_custom: frozenset[str]) -> bool:
        return bool(capabilities & bits.ACCEPTS_RESTART_COMMAND)

    def part(self, server_capabilities: int) -> bytes:
        return ServerToAgent(
            capabilities=server_capabilities,
            command=ServerToAgentCommand(type=CommandType_Restart),
        ).SerializeToString()


@dataclass(frozen=True, slots=True)
class Custom:
    """A custom message, only for a capability that the agent announced (OP-56)."""

    capability: str
    type: str
    data: bytes

    def allowed(self, capabilities: int, accepts_custom: frozenset[str]) -> bool:
        return self.capability in accepts_custom

    def part(self, server_capabilities: int) -> bytes:
        message = CustomMessage(capability=self.capability, type=self.type, data=self.data)
        return ServerToAgent(custom_message=message).SerializeToString()


@dataclass(frozen=True, slots=True)
class Rename:
    """A new instance_uid, 16 bytes (OP-04 to OP-07)."""

    uid: bytes

    def allowed(self, capabilities: int, accepts_custom: frozenset[str]) -> bool:
        return True

    def part(self, server_capabilities: int) -> bytes:
        message = AgentIdentification(new_instance_uid=self.uid)
        return ServerToAgent(agent_identification=message).SerializeToString()


@dataclass(frozen=True, slots=True)
class FullState:
    """Ask for everything once more (OP-15)."""

    def allowed(self, capabilities: int, accepts_custom: frozenset[str]) -> bool:
        return True

    def part(self, server_capabilities: int) -> bytes:
        return ServerToAgent(flags=bits.REPORT_FULL_STATE).SerializeToString()


@dataclass(frozen=True, slots=True)
class NotCertified:
    """What an agent asked for is refused, some time after it asked. An error stands alone (OP-22, OP-45)."""

    text: str

    def allowed(self, capabilities: int, accepts_custom: frozenset[str]) -> bool:
        return True

    def part(self, server_capabilities: int) -> bytes:
        error = ServerErrorResponse(
            type=ServerErrorResponseType_BadRequest, error_message=self.text
        )
        return ServerToAgent(error_response=error).SerializeToString()


Said = Restart | Custom | Rename | FullState | NotCertified
