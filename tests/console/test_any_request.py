"""No request of any shape makes the console fail: no status from 500 on, no traceback in the log.

Odd methods, paths, queries, headers, cookies, bodies and handshakes are sent as bytes to a real server,
signed in and not. A traceback that a caller can provoke hides those that matter.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from django.conf import settings
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from console.api.urls import urlpatterns as api_routes
from tests.console.pages.test_routes import routes as page_routes
from tests.console.served import Served, served
from tests.make.people import sign_in

pytestmark = pytest.mark.django_db(transaction=True)

ROLES = ("viewer", "author", "operator", "approver", "admin")
# What may stand in the place of a parameter of a route.
ODD = (
    "0",
    "-1",
    "1" * 19,
    "9" * 40,
    "%00",
    "%ff%fe",
    "a%00b",
    "%F0%9F%A4%96",
    "%2e%2e%2f",
    "x" * 300,
    "00000000-0000-0000-0000-000000000000",
)
QUERIES = (
    "q=%00&status=%00&after=%00&before=%00&since=%00&actor=%00&name=%00&config=%00&t=%00",
    "q=%ff%fe&after=%ff&version=%ff&page=%ff&format=%ff&kind=%ff&object=%ff&since=%ff",
    "q=(((&after=" + "9" * 30 + "&before=-1&version=" + "9" * 30 + "&since=9999-99-99&limit=1e999",
    "after=eyJ9&q=" + "a," * 2000,
    "q=%E2%80%AE&&&==&%=1&q[]=1&q=1&q=2;q=3&" + "x" * 3000,
)
HEADERS = (
    b'Cookie: {session}="\\000aaaaaaaaaaaaaaaa"; {csrf}="\\000"; messages="\\000"; django_language="\\000"\r\n',
    b"Cookie: {session}=\xff\xfe\xfd; =; ;;; a=b=c; {csrf}=\xff; messages=abc:def:ghi\r\n",
    b"Authorization: Bearer \xff\xfe\r\n",
    b"Authorization: Bearer\r\nAuthorization: Basic %%%\r\n",
    b"Authorization: Bearer tg_u_" + b"x" * 2000 + b"\r\n",
    b"Accept-Language: \xff,*;q=9,zh-Hans-x-y-z-" + b"a" * 600 + b";q=nan\r\n",
    b"Accept: \xff/*;q=x\r\nAccept-Encoding: gzip;q=\xff\r\n",
    b"HX-Request: true\r\nHX-Target: \xff\xfe%00\r\nHX-Current-URL: http://[::1\r\nHX-Current-URL-URI-AutoEncoded: true\r\n",
    b"If-None-Match: \xff\r\nIf-Modified-Since: Foo, 99 Bar 99999 99:99:99 GMT\r\nRange: bytes=9-1,-0\r\n",
    b'If-Match: "\xff"\r\nIdempotency-Key: \xff\x01\r\n',
    b"Referer: http://[\r\nOrigin: http://[::1\r\n",
    b"X-CSRFToken: \xff\r\nX-HTTP-Method-Override: DELETE\r\nX-Forwarded-For: \xff\r\n",
)
BODIES = (
    (b"application/x-www-form-urlencoded", b"reason=%00&name=%ff&revision=" + b"9" * 40),
    (b"application/x-www-form-urlencoded", b"&".join(b"f%d=1" % n for n in range(1500))),
    (b"multipart/form-data", b"no boundary"),
    (b"multipart/form-data; boundary=" + b"x" * 300, b"--x\r\n\r\n"),
    (b"multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data; name=\"\x00\"\r\n\r\n\xff\r\n--x--\r\n"),
    (b"multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data; name=\"f\"; filename=\"\xff/../\x00\"\r\nContent-Transfer-Encoding: base64\r\n\r\n%%%\r\n--x--\r\n"),
    (b"application/json; charset=utf-99", b"{\"reason\": \"\\ud800\"}"),
    (b"text/plain; charset=\xff", b"\xff\xfe"),
    (b"\xff", b"["),
)  # fmt: skip
METHODS = (b"OPTIONS", b"TRACE", b"PROPFIND", b"PATCH", b"PUT", b"DELETE", b"HEAD", b"QUERY")


class Failures(logging.Handler):
    """Keeps what was logged as a fault or with a traceback."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info or record.levelno >= logging.ERROR or "Traceback" in record.getMessage():
            self.lines.append(logging.Formatter().format(record)[-3000:])


@pytest.fixture
def failures(console: Served) -> Iterator[Failures]:
    kept = Failures()
    logging.getLogger().addHandler(kept)
    yield kept
    console.wait_idle()  # while this test still has the database
    logging.getLogger().removeHandler(kept)


@pytest.fixture(scope="module")
def console() -> Iterator[Served]:
    with served() as running:
        yield running


@pytest.fixture
def session() -> str:
    """The cookie of a person who may do everything, with a token for forms."""
    client = sign_in("everybody", *ROLES)
    client.get("/settings/profile/")
    key = client.cookies[settings.SESSION_COOKIE_NAME].value
    return f"{settings.SESSION_COOKIE_NAME}={key}; {settings.CSRF_COOKIE_NAME}={'a' * 32}"


def request(
    target: str | bytes,
    *,
    method: bytes = b"GET",
    cookie: str = "",
    headers: bytes = b"",
    kind: bytes = b"",
    body: bytes = b"",
    host: bytes = b"127.0.0.1",
) -> bytes:
    """Return the bytes of one request."""
    path = target.encode() if isinstance(target, str) else target
    lines = method + b" " + path + b" HTTP/1.1\r\nHost: " + host + b"\r\nConnection: close\r\n"
    if cookie:
        token = b"X-CSRFToken: " + b"a" * 32 + b"\r\n"
        lines += b"Cookie: " + cookie.encode() + b"\r\n" + token
    if kind or body:
        lines += b"Content-Type: " + kind + b"\r\nContent-Length: %d\r\n" % len(body)
    return lines + headers + b"\r\n" + body


def odd_paths(route: str) -> list[str]:
    """Return a route with each odd value in the place of its parameters; itself if it has none."""
    if "<" not in route:
        return [route]
    parts = route.replace("<", "\0<").replace(">", ">\0").split("\0")
    return ["".join(odd if part.startswith("<") else part for part in parts) for odd in ODD]


PAGES = [path for route in page_routes() for path in odd_paths(route)]
API = [path for route in api_routes for path in odd_paths(f"/api/v1/{route.pattern}")]
PLAIN = [path for path in (*PAGES, *API) if "%" not in path and "9999" not in path]


def check(console: Served, failures: Failures, *requests: bytes) -> None:
    for sent in requests:
        reply = console.send(sent)
        assert reply.status < 500, (sent[:300], reply.body[:300])
        assert not failures.lines, (sent[:300], "\n".join(failures.lines))


@pytest.mark.parametrize("paths", [PAGES, API], ids=["pages", "api"])
def test_odd_addresses(paths: list[str], console: Served, session: str, failures: Failures) -> None:
    check(console, failures, *(request(path, cookie=session) for path in paths))


def test_odd_queries(console: Served, session: str, failures: Failures) -> None:
    lists = [path for path in PLAIN if "x" * 300 not in path]
    for query in QUERIES:
        check(console, failures, *(request(f"{path}?{query}", cookie=session) for path in lists))


@pytest.mark.parametrize("cookie", ["", "signed in"], ids=["nobody", "everybody"])
def test_odd_headers(cookie: str, console: Served, session: str, failures: Failures) -> None:
    names = {b"{session}": settings.SESSION_COOKIE_NAME, b"{csrf}": settings.CSRF_COOKIE_NAME}
    for header in HEADERS:
        for name, value in names.items():
            header = header.replace(name, value.encode())
        for path in (
            "/",
            "/agents/",
            "/login/",
            "/healthz",
            "/api/v1/agents",
            "/static/x",
            "/none",
        ):
            check(console, failures, request(path, headers=header, cookie=cookie and session))


def test_odd_bodies(console: Served, session: str, failures: Failures) -> None:
    for path in ("/login/", "/logout/", "/rollouts/new/", "/settings/freeze/", "/configs/new/",
                 "/plans/new/", "/settings/profile/", "/api/v1/rollouts", "/api/v1/config", "/healthz"):  # fmt: skip
        for kind, body in BODIES:
            sent = request(path, method=b"POST", cookie=session, kind=kind, body=body)
            check(console, failures, sent)


def test_odd_methods(console: Served, session: str, failures: Failures) -> None:
    for method in METHODS:
        for path in ("/", "/agents/", "/login/", "/healthz", "/metrics", "/api/v1/agents",
                     "/api/v1/none", "/api/schema/", "/static/tidegate.css", "/none"):  # fmt: skip
            check(console, failures, request(path, method=method, cookie=session))


@pytest.mark.parametrize(
    "target",
    [b"*", b"//", b"///evil.example/", b"/%", b"/%zz", b"/\xff\xfe", b"/a/../../b", b"/;x=y", b"/?",
     b"/??a#b", b"http://evil.example/", b"/" + b"a" * 20000, b"/agents/?q=" + b"%00" * 5000,
     b"/ws/console/", b"/r/R-99999999999999999999", b"/r/%00", b"/login/?next=//evil%00", b"/login/?next=%ff"],
)  # fmt: skip
def test_odd_targets(target: bytes, console: Served, session: str, failures: Failures) -> None:
    check(console, failures, request(target), request(target, cookie=session))


@pytest.mark.parametrize(
    "host", [b"", b"evil.example", b"[::1", b"127.0.0.1:99999999", b"\xff\xfe", b"a b", b"a,b", b"127.0.0.1@x", b"_"]
)  # fmt: skip
def test_odd_hosts(host: bytes, console: Served, failures: Failures) -> None:
    check(
        console,
        failures,
        *(request(path, host=host) for path in ("/", "/api/v1/agents", "/healthz")),
    )


SHAKE = (
    b"Upgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
)


def handshake(path: str, headers: bytes = b"", shake: bytes = SHAKE) -> bytes:
    return b"GET " + path.encode() + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n" + shake + headers + b"\r\n"


@pytest.mark.parametrize("path", ["/", "/ws/", "/ws/console", "/ws/console/x/", "/ws/%00", "/ws/%ff", "/api/v1/agents"])  # fmt: skip
def test_a_websocket_to_nowhere_is_refused_with_404(
    path: str, console: Served, failures: Failures
) -> None:
    reply = console.send(handshake(path))
    assert reply.status == 404, reply
    assert not failures.lines, failures.lines


@pytest.mark.parametrize(
    "headers",
    [b"Origin: http://[::1\r\n", b"Origin: \xff\r\n", b"Origin: null\r\n", b"Origin: http://evil.example\r\n",
     b"Sec-WebSocket-Protocol: \xff, ,\r\n", b"Sec-WebSocket-Extensions: permessage-deflate; x=\xff\r\n",
     b"Cookie: " + settings.SESSION_COOKIE_NAME.encode() + b"=\"\\000aaaaaaaaaaa\"\r\n",
     b"Cookie: \xff\xfe=\xff\r\n"],
)  # fmt: skip
@pytest.mark.parametrize("query", ["?t=nav", "?t=%00&t=%ff", "?" + "t=nav&" * 300])
def test_odd_handshakes(headers: bytes, query: str, console: Served, failures: Failures) -> None:
    own = b"" if b"Origin" in headers else b"Origin: http://127.0.0.1\r\n"
    check(console, failures, handshake(f"/ws/console/{query}", own + headers))


@pytest.mark.parametrize(
    "shake",
    [SHAKE.replace(b"13", b"1"), SHAKE.replace(b"dGhlIHNhbXBsZSBub25jZQ==", b"x"),
     SHAKE.replace(b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", b""), SHAKE.replace(b"websocket", b"h2c")],
)  # fmt: skip
def test_handshakes_that_are_none(shake: bytes, console: Served, failures: Failures) -> None:
    close = b"" if b"Upgrade: websocket" in shake else b"Connection: close\r\n"
    check(console, failures, handshake("/ws/console/", close, shake))


pieces = st.sampled_from(["%00", "%ff", "/", "..", "?", "&", "=", "a", "1", "%", "[", "]", "{", ";", "\u202e", "é"])  # fmt: skip


@hypothesis_settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(tail=st.lists(pieces, max_size=12).map("".join), index=st.integers(0, len(PLAIN) - 1))
def test_any_tail(tail: str, index: int, console: Served, session: str, failures: Failures) -> None:
    check(console, failures, request(PLAIN[index] + tail, cookie=session))
