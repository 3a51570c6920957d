"""A real nginx or HAProxy in front of a gateway, configured as docs/tls.md shows."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[4]
PAGE = ROOT / "docs" / "tls.md"
_PATIENCE_S = 20.0
_MAIN = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log info;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
{server}
}}
"""


def snippet(name: str) -> str:
    """Return the block of docs/tls.md below `<!-- NAME -->`."""
    found = re.search(rf"<!-- {name} -->\n```\w*\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert found, f"docs/tls.md has no block {name}"
    return found[1]


_DEFAULTS = """
defaults
  timeout connect 5s
  timeout client 60s
  timeout server 60s
"""


def nginx_command(folder: Path, port: int, gateway_port: int) -> list[str]:
    """Write the configuration; return how nginx is started."""
    server = _placed(snippet("nginx"), folder, gateway_port)
    server = server.replace("listen 443", f"listen 127.0.0.1:{port}")
    (folder / "nginx.conf").write_text(_MAIN.format(folder=folder, server=server))
    return [_program("nginx", "nginx-light"), "-c", str(folder / "nginx.conf"), "-p", str(folder)]


def haproxy_command(folder: Path, port: int, gateway_port: int) -> list[str]:
    """Write the configuration; return how HAProxy is started."""
    both = (folder / "server.crt").read_text() + (folder / "server.key").read_text()
    (folder / "server.pem").write_text(both)
    server = _placed(snippet("haproxy"), folder, gateway_port).replace(":443", f"127.0.0.1:{port}")
    (folder / "haproxy.cfg").write_text(_DEFAULTS + server)
    return [_program("haproxy", "haproxy"), "-db", "-f", str(folder / "haproxy.cfg")]


COMMANDS = {"nginx": nginx_command, "haproxy": haproxy_command}


def _placed(server: str, folder: Path, gateway_port: int) -> str:
    found = server.replace("127.0.0.1:4320", f"127.0.0.1:{gateway_port}")
    return found.replace("/etc/tidegate", str(folder))


def _program(name: str, package: str) -> str:
    program = shutil.which(name) or f"/usr/sbin/{name}"
    assert Path(program).exists(), f"{name} is missing: apt-get install {package}"
    return program


@contextmanager
def running(kind: str, folder: Path, port: int, gateway_port: int) -> Iterator[None]:
    """Run a proxy with the files of `folder` (server.crt, server.key, agent-ca.crt)."""
    command = COMMANDS[kind](folder, port, gateway_port)
    log = folder / "proxy.log"
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out)
    try:
        _wait(process, port, log)
        yield
    finally:
        process.terminate()
        process.wait(10)


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise AssertionError(f"the proxy ended: {log.read_text()}")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"the proxy does not listen: {log.read_text()}")
