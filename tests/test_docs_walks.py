"""What the pages for a first use call a word of the console is one: a renamed button is found here.

`tests/browser/test_walks.py` follows their steps in a browser, on a running product.
"""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from tests.docs_words import WALKS, Walk

ROOT = Path(__file__).resolve().parent.parent
_GETTEXT = re.compile(r"^(?:_|_l|n?p?n?gettext(?:_lazy|_noop)?)$")
_TRANSLATED = re.compile(r"{%\s*(?:translate|trans)\s+([\"'])(.*?)\1")
_BLOCK = re.compile(r"{%\s*blocktranslate\b[^%]*%}(.*?){%\s*endblocktranslate\s*%}", re.DOTALL)
_PLACE = re.compile(r"%\(\w+\)[sd]|{{\s*\w+\s*}}|{\w+[^}]*}")


@cache
def sentences() -> frozenset[str]:
    """Return what the console says, as its translators see it, in small letters without final dots."""
    found = set()
    for path in (ROOT / "console").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and _GETTEXT.match(ast.unparse(node.func)):
                texts = (a.value for a in node.args if isinstance(a, ast.Constant))
                found |= {text for text in texts if isinstance(text, str)}
    for path in (ROOT / "templates").rglob("*.html"):
        text = path.read_text()
        found |= {match[1] for match in _TRANSLATED.findall(text)}
        for block in _BLOCK.findall(text):
            found |= {" ".join(part.split()) for part in re.split(r"{%\s*plural\s*%}", block)}
    return frozenset(plain(text) for text in found)


def plain(text: str) -> str:
    """Return a text as it is compared: without dots at its end, a number wherever something is put in."""
    return re.sub(r"\d+", "0", _PLACE.sub("0", text)).rstrip("….").strip().lower()


@pytest.mark.parametrize("name", WALKS)
def test_each_word_of_the_console_is_one(name: str) -> None:
    walk = Walk.of(name)
    words = {word for word in walk.words if not word.startswith("/")}
    assert len(words) >= 5
    unknown = {word for word in words if plain(word) not in sentences()}
    assert not unknown, f"docs/{name} speaks of {sorted(unknown)}, which no page says"


def test_the_look_sees_another_word() -> None:
    assert plain("Save draft") in sentences()
    assert plain("Start rollout to 200 agents") in sentences()
    assert plain("Keep draft") not in sentences()
