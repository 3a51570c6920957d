from __future__ import annotations

import io

import pytest

from console.processes.stream import LineSplitter, LogStream


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_lines_are_cut_where_they_end_and_rests_are_kept() -> None:
    splitter = LineSplitter()
    assert splitter.feed(b"one\ntw") == ["one"]
    assert splitter.feed(b"o\r\n") == ["two"]
    assert splitter.end() == []


def test_a_last_line_without_an_end_is_not_lost() -> None:
    splitter = LineSplitter()
    splitter.feed(b"half")
    assert splitter.end() == ["half"]


def test_an_endless_line_does_not_fill_memory() -> None:
    splitter = LineSplitter()
    assert [len(line) for line in splitter.feed(b"x" * 100_000)] == [100_000]
    assert splitter.end() == []


def test_bytes_that_are_not_text_are_shown() -> None:
    assert LineSplitter().feed(b"\xff\n") == ["\\xff"]


def test_prefixes_have_one_width() -> None:
    out = io.StringIO()
    stream = LogStream(out, ["a", "gateway"])
    stream.write("a", "x")
    stream.write("gateway", "y")
    assert out.getvalue() == "a       | x\ngateway | y\n"


def test_a_terminal_gets_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    out = Terminal()
    LogStream(out, ["a"]).write("a", "x")
    assert out.getvalue() == "\x1b[36ma |\x1b[0m x\n"


def test_no_color_is_respected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    out = Terminal()
    LogStream(out, ["a"]).write("a", "x")
    assert out.getvalue() == "a | x\n"
