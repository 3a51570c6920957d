"""An agent of our own over both transports: says one message, gives back the answer."""

from __future__ import annotations

import ssl
import time
import uuid
from contextlib import ExitStack
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from agents.opamp import opamp_pb2 as pb
from agents.opamp.anyvalue_pb2 import AnyValue, KeyValue
from agents.opamp.wire import HEADER, decode_from_server
from tests.agents.gateway.running import RunningGateway

CONTENT_TYPE = "application/x-protobuf"
EVERYTHING = 0xFFFF
SUPERVISOR = 0x7D47
# Long enough for a machine that does much else; only a test that fails waits for all of it.
WAIT_S = 20.0


def pairs(values: dict[str, str]) -> list[KeyValue]:
    return [KeyValue(key=k, value=AnyValue(string_value=v)) for k, v in values.items()]


def description(**labels: str) -> pb.AgentDescription:
    """Return a description; underscores in names become dots (host_name)."""
    named = {"host_name": "edge-1", **labels}
    return pb.AgentDescription(
        identifying_attributes=pairs({"service.name": "otelcol", "service.version": "1.2.3"}),
        non_identifying_attributes=pairs({k.replace("_", "."): v for k, v in named.items()}),
    )


def config_status(
    config_hash: str, status: pb.RemoteConfigStatuses, error: str = ""
) -> pb.RemoteConfigStatus:
    return pb.RemoteConfigStatus(
        last_remote_config_hash=bytes.fromhex(config_hash), status=status, error_message=error
    )


def showing(text: str) -> pb.EffectiveConfig:
    """Return an effective config of one file, as it stands there."""
    files = {"": pb.AgentConfigFile(body=text.encode())}
    return pb.EffectiveConfig(config_map=pb.AgentConfigMap(config_map=files))


def full_state(**parts: Any) -> dict[str, Any]:
    """Return all the parts of a full report; keyword arguments replace them."""
    return {
        "agent_description": description(),
        "health": pb.ComponentHealth(healthy=True, status="StatusOK"),
        "effective_config": pb.EffectiveConfig(),
        "remote_config_status": pb.RemoteConfigStatus(),
        **parts,
    }


class _WithContext(HTTPAdapter):
    """Connects with a given TLS context: the library knows files only."""

    def __init__(self, context: ssl.SSLContext | None) -> None:
        self._context = context
        super().__init__()

    def init_poolmanager(self, *args: Any, **words: Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._context, **words)


class FakeAgent:
    """Counts its own sequence numbers, unless told otherwise."""

    def __init__(
        self,
        gateway: RunningGateway,
        transport: str = "ws",
        *,
        uid: bytes | None = None,
        capabilities: int = SUPERVISOR,
        headers: dict[str, str] | None = None,
        tls: ssl.SSLContext | None = None,
        url: str = "",
    ) -> None:
        self.gateway = gateway
        self.transport = transport
        self.uid = uid or uuid.uuid4().bytes
        self.capabilities = capabilities
        self.headers = headers or {}
        self._tls = tls
        self._url = url
        self.sequence_num = -1
        self._ws: ClientConnection | None = None
        self.http: requests.Session | None = None
        self._open = ExitStack()

    @property
    def ws(self) -> ClientConnection:
        """The socket of a connected agent of the `ws` transport."""
        assert self._ws is not None, "connect first, over ws"
        return self._ws

    @ws.setter
    def ws(self, ws: ClientConnection) -> None:
        self._ws = ws

    def connect(self) -> FakeAgent:
        if self.transport == "ws":
            opening = connect(
                self._url or self.gateway.ws_url,
                ssl=self._tls,
                additional_headers=self.headers,
                compression=None,
                max_size=None,
                close_timeout=WAIT_S,
            )
            self._ws = self._open.enter_context(opening)
        else:
            self.http = self._open.enter_context(requests.Session())
            self.http.mount("https://", _WithContext(self._tls))
        return self

    def message(self, *, seq: int | None = None, **parts: Any) -> pb.AgentToServer:
        self.sequence_num = self.sequence_num + 1 if seq is None else seq
        values = {"instance_uid": self.uid, "capabilities": self.capabilities, **parts}
        return pb.AgentToServer(sequence_num=self.sequence_num, **values)

    def say(self, **words: Any) -> pb.ServerToAgent:
        """Send one message and return the answer."""
        return self.exchange(self.message(**words))

    def exchange(self, message: pb.AgentToServer) -> pb.ServerToAgent:
        return self.exchange_raw(message.SerializeToString())

    def exchange_raw(self, payload: bytes) -> pb.ServerToAgent:
        """Send a message as these bytes and return the answer."""
        if self._ws is not None:
            self.ws.send(HEADER + payload)
            return self.receive()
        response = self.post(payload)
        assert response.status_code in {200, 400}, response.text
        return pb.ServerToAgent.FromString(response.content)

    def post(self, body: bytes, **headers: str) -> requests.Response:
        assert self.http is not None
        named = {k.replace("_", "-"): v for k, v in headers.items()}
        return self.http.post(
            self._url or self.gateway.url,
            data=body,
            headers={"Content-Type": CONTENT_TYPE, **self.headers, **named},
            timeout=WAIT_S,
        )

    def begin(self, **parts: Any) -> pb.ServerToAgent:
        """Connect and send the full first report."""
        self.connect()
        return self.say(**full_state(**parts))

    def receive(self, timeout_s: float = WAIT_S) -> pb.ServerToAgent:
        """Return the next message from the server (WebSocket)."""
        assert self.ws is not None
        data = self.ws.recv(timeout=timeout_s)
        assert isinstance(data, bytes)
        return decode_from_server(data)

    def pushed(self) -> pb.ServerToAgent:
        """Return what the server says without being asked: at once, or with one of the next
        polls."""
        if self._ws is not None:
            return self.receive()
        deadline = time.monotonic() + WAIT_S
        while time.monotonic() < deadline:
            answer = self.say()
            if {field.name for field, _ in answer.ListFields()} - {"instance_uid", "capabilities"}:
                return answer
            time.sleep(0.1)
        raise TimeoutError("nothing but acknowledgements")

    def hears_nothing(self, for_s: float = 0.4) -> bool:
        """Tell whether the server stays silent for a while (WebSocket)."""
        try:
            self.receive(for_s)
        except TimeoutError:
            return True
        return False

    def closed_with(self, timeout_s: float = WAIT_S) -> int | None:
        """Wait for the server to close the WebSocket; return the code of its Close frame."""
        assert self.ws is not None
        try:
            while True:
                self.ws.recv(timeout=timeout_s)
        except ConnectionClosed:
            return self.ws.close_code

    def close(self) -> None:
        self._open.close()
