"""Start a program that ends when we end, and that is not root if it refuses to be.

Run as a script (`python leash.py --parent PID [--signal N] [--uid N --gid N] -- PROGRAM ARGS`), it
replaces itself by the program, so the pid that the parent sees is the program's. A killed parent
(even with -9) makes the kernel send the signal to the program. Where the kernel cannot do that
(anything but Linux) the program starts all the same, and the next `up` ends what is left over.

With --uid the program runs as that user but keeps the right to read and write any file, because a
data directory below a private home cannot be reached otherwise (PostgreSQL refuses only the uid 0).

Imports nothing of ours and starts with `python -I -S`: every start of a process pays for it.
`leashed` makes such a command.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import signal
import sys
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PR_SET_KEEPCAPS = 8
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_CAPABILITY_VERSION_3 = 0x20080522
_CAP_DAC_OVERRIDE = 1
_CAP_DAC_READ_SEARCH = 2


def leashed(
    argv: list[str], *, death_signal: signal.Signals, owner: tuple[int, int] | None = None
) -> list[str]:
    """Return a command that ends with us, and runs as `owner` (uid, gid) if one is given.

    The command must be started by the thread that lives longest, usually the main one: the kernel
    watches the thread, not the process.
    """
    words = [sys.executable, "-I", "-S", str(Path(__file__).resolve())]
    words += ["--parent", str(os.getpid()), "--signal", str(int(death_signal))]
    if owner is not None:
        words += ["--uid", str(owner[0]), "--gid", str(owner[1])]
    return [*words, "--", *argv]


class _CapabilityHeader(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _CapabilityData(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


def become(libc: ctypes.CDLL, uid: int, gid: int) -> None:
    """Give up root for `uid`, keeping file access where the kernel allows that.

    Without the kept rights (a container that lacks them) the program still starts, and says itself
    which directory it cannot reach.
    """
    libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
    wanted = 1 << _CAP_DAC_OVERRIDE | 1 << _CAP_DAC_READ_SEARCH
    header = _CapabilityHeader(_CAPABILITY_VERSION_3, 0)
    data = (_CapabilityData * 2)(_CapabilityData(wanted, wanted, wanted))
    if libc.capset(ctypes.byref(header), ctypes.byref(data)) == 0:
        for capability in (_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH):
            libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, capability, 0, 0)


def die_with_parent(libc: ctypes.CDLL, parent: int, signal_number: int) -> None:
    """Ask for `signal_number` when the parent ends; leave at once if it has ended already."""
    libc.prctl(_PR_SET_PDEATHSIG, signal_number, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(0)


def main(argv: list[str]) -> None:
    """Parse the arguments, tie the leash and become the program."""
    parser = argparse.ArgumentParser(prog="leash")
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--signal", type=int, default=15)
    parser.add_argument("--uid", type=int)
    parser.add_argument("--gid", type=int)
    parser.add_argument("program", nargs="+")
    args = parser.parse_args(argv)
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if args.uid is not None:
            become(libc, args.uid, args.gid)
        # After the change of user: that clears the signal.
        die_with_parent(libc, args.parent, args.signal)
    elif args.uid is not None:
        os.setgid(args.gid)
        os.setuid(args.uid)
    os.execvp(args.program[0], args.program)  # noqa: S606 - the caller's own command


if __name__ == "__main__":
    main(sys.argv[1:])
