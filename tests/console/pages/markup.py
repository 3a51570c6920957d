"""Pages as tests read them."""

from __future__ import annotations

from typing import Protocol


class Answer(Protocol):
    """What a test client returns, as far as text goes."""

    @property
    def content(self) -> bytes: ...


def markup(answer: Answer) -> str:
    """Return the page with one space for each run of white space: its templates wrap their lines."""
    return " ".join(answer.content.decode().split())
