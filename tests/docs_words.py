"""The pages of docs/ that a person follows step by step: what they call the words of the console.

In them *emphasis* is a word of the console (of a button, a link, a heading, a state), with or without the
dots that say that more is asked; `/path/` is an address of it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

DOCS = Path(__file__).parent.parent / "docs"
WALKS = ("first-rollout.md", "reading-a-gate.md", "first-rollback.md")
_EMPHASIS = re.compile(r"(?<![*\w`])\*([^*\n`]+(?:\n[^*\n`]+)?)\*(?![*\w])")
_ADDRESS = re.compile(r"`(/[a-z][a-z0-9/-]*/)`")


@dataclass
class Walk:
    """One page while it is followed. What is not used of it in the end was not checked."""

    name: str
    words: frozenset[str] = frozenset()
    used: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, name: str) -> Walk:
        """Read docs/`name`."""
        text = (DOCS / name).read_text()
        words = {" ".join(word.split()) for word in _EMPHASIS.findall(text)}
        return cls(name, frozenset(words | set(_ADDRESS.findall(text))))

    def says(self, word: str) -> str:
        """Return the word, which has to stand in the page: an emphasised one, or an address."""
        assert word in self.words, f"docs/{self.name} does not say {word!r}"
        self.used.add(word)
        return word

    @property
    def unused(self) -> set[str]:
        return set(self.words - self.used)
