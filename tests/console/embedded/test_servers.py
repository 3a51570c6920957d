from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import redis

from console import embedded
from console.embedded.server import Running
from console.lib.processes import identity


@contextmanager
def running(server: Running) -> Iterator[Running]:
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def parent_that_starts(name: str, data_dir: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Start a server from a process of its own; yields that process and the server's pid."""
    script = f"""
        import sys, time
        from pathlib import Path
        from console import embedded
        print(embedded.start_{name}(Path(sys.argv[1])).pid, flush=True)
        time.sleep(120)
    """
    command = [sys.executable, "-c", textwrap.dedent(script), str(data_dir)]
    parent = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    try:
        yield parent, int(parent.stdout.readline())
    finally:
        parent.kill()
        parent.wait()
        parent.stdout.close()


def wait_until_gone(pid: int, patience_s: float = 15.0) -> bool:
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        if identity.start_mark(pid) is None:
            return True
        time.sleep(0.05)
    return False


def select_one(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT 1").fetchone()
    assert row is not None
    return int(row[0])


def ping(url: str) -> bool:
    with redis.Redis.from_url(url) as client:
        return bool(client.ping())


def test_postgres_serves_from_a_long_path_with_spaces(tmp_path: Path) -> None:
    with running(embedded.start_postgres(tmp_path / "my fleet" / ("x" * 150))) as server:
        assert select_one(server.url) == 1


def test_redis_serves_from_a_long_path_with_spaces(tmp_path: Path) -> None:
    with running(embedded.start_redis(tmp_path / "my fleet" / ("x" * 150))) as server:
        assert ping(server.url)


def test_postgres_keeps_its_data_over_a_restart(tmp_path: Path) -> None:
    with (
        running(embedded.start_postgres(tmp_path, durable=True)) as server,
        psycopg.connect(server.url) as connection,
    ):
        connection.execute("CREATE TABLE kept (number int)")
    with (
        running(embedded.start_postgres(tmp_path, durable=True)) as server,
        psycopg.connect(server.url) as connection,
    ):
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)


def test_two_data_directories_serve_side_by_side(tmp_path: Path) -> None:
    with (
        running(embedded.start_redis(tmp_path / "one")) as one,
        running(embedded.start_redis(tmp_path / "two")) as two,
    ):
        assert one.url != two.url
        assert ping(one.url)
        assert ping(two.url)


def test_nobody_gets_in_without_the_password(tmp_path: Path) -> None:
    with running(embedded.start_redis(tmp_path)) as server:
        bare = server.url.rpartition("@")[2]
        with (
            redis.Redis.from_url(f"redis://{bare}") as client,
            pytest.raises(redis.AuthenticationError),
        ):
            client.ping()


@pytest.mark.parametrize("name", ["postgres", "redis"])
def test_a_server_ends_with_its_killed_parent_and_starts_again(tmp_path: Path, name: str) -> None:
    with parent_that_starts(name, tmp_path) as (parent, pid):
        parent.kill()
        assert wait_until_gone(pid)
    start = embedded.start_postgres if name == "postgres" else embedded.start_redis
    with running(start(tmp_path)) as server:
        assert identity.start_mark(server.pid) is not None


def test_postgres_starts_over_a_stale_pid_file_whose_number_lives(tmp_path: Path) -> None:
    embedded.start_postgres(tmp_path).stop()
    stale = f"{os.getpid()}\n{tmp_path / 'data'}\n1\n5432\n\n127.0.0.1\n0 0\nready\n"
    (tmp_path / "data" / "postmaster.pid").write_text(stale)
    with running(embedded.start_postgres(tmp_path)) as server:
        assert select_one(server.url) == 1


def test_postgres_ends_an_earlier_server_on_the_same_directory(tmp_path: Path) -> None:
    with parent_that_starts("postgres", tmp_path) as (_, pid):
        with running(embedded.start_postgres(tmp_path)) as server:
            assert select_one(server.url) == 1
        assert identity.start_mark(pid) is None


def test_an_initdb_that_was_cut_off_is_done_again(tmp_path: Path) -> None:
    (tmp_path / "data" / "base").mkdir(parents=True)
    (tmp_path / "data" / "half").write_text("written")
    with running(embedded.start_postgres(tmp_path)) as server:
        assert select_one(server.url) == 1


def test_a_cluster_of_another_version_is_named(tmp_path: Path) -> None:
    embedded.start_postgres(tmp_path).stop()
    (tmp_path / "data" / "PG_VERSION").write_text("9\n")
    with pytest.raises(embedded.EmbeddedError, match="made by PostgreSQL 9"):
        embedded.start_postgres(tmp_path)


def test_stopping_twice_is_harmless(tmp_path: Path) -> None:
    server = embedded.start_redis(tmp_path)
    server.stop()
    server.stop()
    assert identity.start_mark(server.pid) is None


def test_secrets_are_readable_by_the_owner_alone(tmp_path: Path) -> None:
    embedded.start_redis(tmp_path).stop()
    modes = {path.name: path.stat().st_mode & 0o077 for path in tmp_path.iterdir()}
    assert modes["password"] == 0
    assert modes["redis.conf"] == 0


def test_a_pid_with_another_start_is_another_process() -> None:
    mark = identity.start_mark(os.getpid())
    assert mark is not None
    assert identity.is_same(os.getpid(), mark)
    assert not identity.is_same(os.getpid(), mark + "0")


def test_a_process_that_ignores_the_first_signal_gets_the_next() -> None:
    stubborn = "import signal, time; signal.signal(15, signal.SIG_IGN); print(1, flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", stubborn], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        mark = identity.start_mark(process.pid)
        assert mark is not None
        steps = [(signal.SIGTERM, 0.1), (signal.SIGKILL, 5.0)]
        assert identity.end(process.pid, mark, steps, group=False)
        assert process.wait() == -signal.SIGKILL
