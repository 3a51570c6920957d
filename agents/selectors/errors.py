"""The error of a selector: one sentence, and where in the text it is wrong."""

from __future__ import annotations

from console.lib.problems import FieldError, Invalid
from console.lib.texts import Text

MAX_TEXT = 10_000
MAX_TERMS = 200
MAX_VALUES = 1_000


class SelectorError(Invalid):
    """A selector that cannot be read.

    Text form: `text` and `position` (characters from 0). YAML form: `path` to the wrong place.
    """

    code = "selector_invalid"

    def __init__(
        self,
        says: Text,
        *,
        text: str = "",
        position: int | None = None,
        path: tuple[str | int, ...] = (),
    ) -> None:
        place = ".".join(map(str, path)) if path else "selector"
        super().__init__(says, errors=[FieldError(place, says)])
        self.text = text
        self.position = position
        self.path = path

    @property
    def caret(self) -> str:
        """Return the text with a caret under the wrong place, two lines; "" for the YAML form."""
        if self.position is None:
            return ""
        before = self.text[: self.position]
        line_start = before.rfind("\n") + 1
        line = self.text[line_start:].split("\n", 1)[0]
        return f"{line}\n{' ' * (self.position - line_start)}^"

    def __str__(self) -> str:
        return f"{self.caret}\n{self.detail}" if self.position is not None else self.detail
