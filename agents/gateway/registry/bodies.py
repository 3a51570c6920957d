"""Config bodies ready to be sent, serialized once per hash (gateway.md section 10)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping

from agents.gateway.database import Database
from agents.gateway.registry.signatures import Signatures
from agents.opamp.opamp_pb2 import AgentConfigFile, AgentConfigMap, AgentRemoteConfig, ServerToAgent

CONTENT_TYPE = "text/yaml"


class Bodies(Mapping[str, bytes]):
    """ServerToAgent.remote_config by hash. Holds at most `max_bytes`; the least used goes first.

    What its signature forbids to send is not held.
    """

    def __init__(
        self, database: Database, signatures: Signatures, max_bytes: int = 256 * 1024 * 1024
    ) -> None:
        self._database = database
        self._signatures = signatures
        self._max_bytes = max_bytes
        self._held_bytes = 0
        self._parts: OrderedDict[str, bytes] = OrderedDict()

    async def ensure(self, hashes: Iterable[str]) -> None:
        """Load what is missing of these hashes. One that does not exist stays missing."""
        missing = [h for h in set(hashes) if h and h not in self._parts]
        if not missing:
            return
        await self._signatures.ensure(missing)
        allowed = [one for one in missing if self._signatures.allows(one)]
        rows = await self._database.fetch(
            "SELECT config_hash, body FROM agents_configbody WHERE config_hash = ANY(%b)", allowed
        )
        for config_hash, body in rows:
            self._put(config_hash, remote_config(config_hash, bytes(body)))

    def _put(self, config_hash: str, part: bytes) -> None:
        self._parts[config_hash] = part
        self._held_bytes += len(part)
        while self._held_bytes > self._max_bytes and len(self._parts) > 1:
            config_hash, dropped = self._parts.popitem(last=False)
            self._signatures.forget(config_hash)
            self._held_bytes -= len(dropped)

    def __getitem__(self, config_hash: str) -> bytes:
        part = self._parts[config_hash]
        if not self._signatures.allows(config_hash):
            raise KeyError(config_hash)
        self._parts.move_to_end(config_hash)
        return part

    def __iter__(self) -> Iterator[str]:
        return iter(self._parts)

    def __len__(self) -> int:
        return len(self._parts)


def remote_config(config_hash: str, body: bytes) -> bytes:
    """Return the serialized offer: one file named "", its bytes unchanged (OP-27, OP-32)."""
    file = AgentConfigFile(body=body, content_type=CONTENT_TYPE)
    config = AgentConfigMap(config_map={"": file})
    remote = AgentRemoteConfig(config=config, config_hash=bytes.fromhex(config_hash))
    return ServerToAgent(remote_config=remote).SerializeToString()


def body_of(part: bytes) -> bytes:
    """Return the config in a serialized offer."""
    return ServerToAgent.FromString(part).remote_config.config.config_map[""].body
