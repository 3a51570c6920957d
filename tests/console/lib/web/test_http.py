from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from console.lib.web.http import AddressRefused, Outbound, Unreachable, is_global

ANSWERS: dict[str, Callable[[BaseHTTPRequestHandler], None]] = {}
INSIDE = Outbound(allow=["127.0.0.1", "localhost"], max_bytes=100_000)


def _plain(request: BaseHTTPRequestHandler, status: int, body: bytes, **headers: str) -> None:
    request.send_response(status)
    request.send_header("Content-Length", str(len(body)))
    for name, value in headers.items():
        request.send_header(name.replace("_", "-"), value)
    request.end_headers()
    request.wfile.write(body)


def _echo(request: BaseHTTPRequestHandler) -> None:
    length = int(request.headers.get("Content-Length", 0))
    said = request.headers["Host"].encode() + b" " + request.rfile.read(length)
    _plain(request, 200, said)


def _drip(begin: bytes, part: bytes) -> Callable[[BaseHTTPRequestHandler], None]:
    """Send a part now and then: each comes in time, all together they do not."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.close_connection = True
        try:
            request.wfile.write(begin)
            for _ in range(50):
                request.wfile.write(part)
                time.sleep(0.1)
        except OSError:
            return

    return answer


_OK = b"HTTP/1.1 200 OK\r\n"
_CHUNKED = _OK + b"Transfer-Encoding: chunked\r\n\r\n"

ANSWERS.update(
    {
        "/echo": _echo,
        "/moved": lambda r: _plain(r, 302, b"", Location="http://127.0.0.1/echo"),
        "/large": lambda r: _plain(r, 200, b"x" * 100_001),
        "/failed": lambda r: _plain(r, 500, b"broken"),
        "/packed": lambda r: _plain(r, 200, b"x", Content_Encoding="gzip"),
        "/drip/interim": _drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        "/drip/headers": _drip(_OK, b"X: y\r\n"),
        "/drip/body": _drip(_OK + b"Content-Length: 1000\r\n\r\n", b"x"),
        "/drip/chunk-size": _drip(_CHUNKED + b"1;", b"x"),
        "/drip/chunk": _drip(_CHUNKED + b"FFF\r\n", b"x"),
        "/drip/trailers": _drip(_CHUNKED + b"1\r\nx\r\n0\r\n", b"X: y\r\n"),
    }
)


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        ANSWERS[self.path](self)

    do_POST = do_GET

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_an_answer_comes_with_status_headers_and_body(url: str) -> None:
    response = INSIDE.post(f"{url}/echo", b"hello", "text/plain")
    assert response.status == 200
    assert response.body == url.removeprefix("http://").encode() + b" hello"
    assert response.headers["content-length"] == str(len(response.body))


def test_the_name_is_kept_when_the_connection_goes_to_its_address(url: str) -> None:
    port = url.rpartition(":")[2]
    response = INSIDE.get(f"http://localhost:{port}/echo")
    assert response.body.startswith(f"localhost:{port}".encode())


def test_a_failure_status_is_an_answer(url: str) -> None:
    assert INSIDE.get(f"{url}/failed").status == 500


def test_addresses_inside_are_refused_unless_allowed(url: str) -> None:
    with pytest.raises(AddressRefused, match="OUTBOUND_ALLOW"):
        Outbound().get(f"{url}/echo")


@pytest.mark.parametrize(
    "given",
    [
        "ftp://example.org/",
        "file:///etc/passwd",
        "http://user:secret@example.org/",
        "http://",
        "http://[::1/",
        "http://example.org:99999/",
        "http://exam ple.org/",
        "http://example.org/\r\nX-Evil: 1",
    ],
)
def test_urls_that_are_not_plain_web_addresses_are_refused(given: str) -> None:
    with pytest.raises(AddressRefused):
        INSIDE.get(given)


@pytest.mark.parametrize(
    "given", ["http://2130706433/", "http://0x7f000001/", "http://[::ffff:127.0.0.1]/"]
)
def test_other_spellings_of_an_inside_address_are_refused(given: str) -> None:
    with pytest.raises((AddressRefused, Unreachable)):
        Outbound(timeout_s=0.5).get(given)


def test_redirects_are_not_followed(url: str) -> None:
    with pytest.raises(Unreachable, match="redirects"):
        INSIDE.get(f"{url}/moved")


def test_large_answers_are_cut_off(url: str) -> None:
    with pytest.raises(Unreachable, match="100,000 bytes"):
        INSIDE.get(f"{url}/large")


def test_an_encoding_nobody_asked_for_is_refused(url: str) -> None:
    with pytest.raises(Unreachable, match="encoding"):
        INSIDE.get(f"{url}/packed")


@pytest.mark.parametrize("part", ["interim", "headers", "body", "chunk-size", "chunk", "trailers"])
def test_the_deadline_is_for_the_whole_answer(url: str, part: str) -> None:
    with pytest.raises(Unreachable, match="takes longer than"):
        Outbound(allow=["127.0.0.1"], timeout_s=0.5).get(f"{url}/drip/{part}")


def test_a_closed_port_is_named_as_such() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        with pytest.raises(Unreachable, match="refused"):
            INSIDE.get(f"http://127.0.0.1:{port}/")


def test_an_unknown_authority_is_not_trusted() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        thread = threading.Thread(target=_fail_handshake, args=(listener,))
        thread.start()
        with pytest.raises(Unreachable):
            INSIDE.get(f"https://127.0.0.1:{port}/")
        thread.join()


def _fail_handshake(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with connection, pytest.raises((ssl.SSLError, OSError)):
        context.wrap_socket(connection, server_side=True)


@pytest.mark.parametrize(
    ("address", "outside"),
    [
        ("8.8.8.8", True),
        ("2600::1", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),  # noqa: S104
        ("224.0.0.1", False),
        ("::1", False),
        ("fe80::1", False),
        ("fd00::1", False),
        ("::ffff:10.0.0.1", False),
        ("64:ff9b::a00:1", False),
        ("64:ff9b::808:808", True),
        ("2002:a00:1::", False),
        ("ff0e::1", False),
    ],
)
def test_inside_and_outside_are_told_apart_through_every_wrapping(
    address: str, outside: bool
) -> None:
    assert is_global(address) is outside
