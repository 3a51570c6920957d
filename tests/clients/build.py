"""Build the Go binaries once into a cache outside the checkout.

`python -m tests.clients.build` prints the directory. The cache key is the hash of the module's
files, so an unchanged checkout builds nothing; a lock file makes concurrent runs share one build.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

MODULE = Path(__file__).parent
SUPERVISOR = "github.com/open-telemetry/opentelemetry-collector-contrib/cmd/opampsupervisor"
PACKAGES = ("./collector", "./opampagent", SUPERVISOR)
BUILD_TIMEOUT_S = 900


class CannotBuild(Exception):
    """The real clients cannot be built here. The text says what to do."""


@dataclass(frozen=True, slots=True)
class Binaries:
    """Absolute paths of the three programs."""

    collector: Path
    supervisor: Path
    agent: Path


def module_files() -> list[Path]:
    """The files that decide what is built, in a fixed order."""
    return sorted([*MODULE.rglob("*.go"), MODULE / "go.mod", MODULE / "go.sum"])


def module_hash() -> str:
    """SHA-256 over names and contents of the module's files, 16 hex digits of it."""
    digest = hashlib.sha256()
    for path in module_files():
        body = path.read_bytes()
        digest.update(f"{path.relative_to(MODULE).as_posix()}:{len(body)}:".encode())
        digest.update(body)
    return digest.hexdigest()[:16]


def cache_root() -> Path:
    """Where builds are kept: `$XDG_CACHE_HOME/tidegate-clients` or the same under `~/.cache`."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "tidegate-clients"


def binaries() -> Binaries:
    """Return the programs, building them first when needed.

    Raises CannotBuild when Go is missing or the build fails. Waits for a build that another
    process has under way.
    """
    root = cache_root()
    target = root / module_hash()
    root.mkdir(parents=True, exist_ok=True)
    with (root / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.is_dir():
            _build_into(root, target)
    return Binaries(target / "collector", target / "opampsupervisor", target / "opampagent")


def _build_into(root: Path, target: Path) -> None:
    go = shutil.which("go")
    if go is None:
        raise CannotBuild(
            "Go is not on the PATH, so the real OpAMP clients cannot be built; install Go 1.25 or "
            "newer (https://go.dev/dl), or run the other tests with `make test`"
        )
    with tempfile.TemporaryDirectory(dir=root, prefix="build-") as scratch:
        out = Path(scratch) / "bin"
        out.mkdir()
        command = [go, "build", "-mod=readonly", "-buildvcs=false", "-trimpath"]
        command += ["-ldflags", "-s -w", "-o", f"{out}{os.sep}", *PACKAGES]
        environment = {**os.environ, "CGO_ENABLED": "0"}
        done = subprocess.run(
            command,
            cwd=MODULE,
            env=environment,
            capture_output=True,
            text=True,
            timeout=BUILD_TIMEOUT_S,
            check=False,
        )
        if done.returncode != 0:
            raise CannotBuild(f"go build of the real OpAMP clients failed:\n{done.stderr[-4000:]}")
        out.rename(target)


def main() -> int:
    """Build and print where the programs are; 1 and a sentence when that cannot be."""
    try:
        found = binaries()
    except CannotBuild as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    sys.stdout.write(f"{found.collector.parent}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
