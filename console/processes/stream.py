"""One log stream for many processes: `name | line`, coloured only on a terminal."""

from __future__ import annotations

import os
from typing import TextIO

# ANSI colours that read on dark and light backgrounds; names take them in order of appearance.
_COLOURS = (36, 33, 32, 35, 34, 31, 96, 93, 92, 95)
# A line longer than this is written in pieces: a process must not fill our memory.
_LONGEST_LINE_BYTES = 64 * 1024


class LogStream:
    """Writes whole lines with a prefix of fixed width."""

    def __init__(self, out: TextIO, names: list[str]) -> None:
        self._out = out
        self._width = max(map(len, names), default=0)
        self._names = names
        self._colour = out.isatty() and "NO_COLOR" not in os.environ

    def write(self, name: str, line: str) -> None:
        """Write one line of process `name`."""
        self._out.write(f"{self._prefix(name)} {line}\n")
        self._out.flush()

    def plain(self, text: str) -> None:
        """Write text of our own without a prefix."""
        self._out.write(text + "\n")
        self._out.flush()

    def _prefix(self, name: str) -> str:
        prefix = f"{name:<{self._width}} |"
        if not self._colour or name not in self._names:
            return prefix
        return f"\x1b[{_COLOURS[self._names.index(name) % len(_COLOURS)]}m{prefix}\x1b[0m"


class LineSplitter:
    """Cuts a byte stream into lines of text; what is not yet a line is kept."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[str]:
        """Return the lines that `data` completes."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > _LONGEST_LINE_BYTES:
            lines.append(self._rest)
            self._rest = b""
        return [_text(line) for line in lines]

    def end(self) -> list[str]:
        """Return what is left when the stream has ended."""
        rest, self._rest = self._rest, b""
        return [_text(rest)] if rest else []


def _text(line: bytes) -> str:
    return line.rstrip(b"\r").decode(errors="backslashreplace")
