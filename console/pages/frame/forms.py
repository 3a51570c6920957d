"""Reads what a browser sent: Django forms, whose errors become the FieldErrors of every other input.

A form here turns text into values and says of each value that cannot be read what would be right.
Whether the values may be is for the act to say. Two ways to read one: `checked()` for what a person
sends to have something done, `known()` for addresses, where a filter that nobody knows is no filter.
No view reads `request.GET` or `request.POST` by hand (tests/test_architecture.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, time, tzinfo
from typing import Any

from django import forms
from django.http import HttpRequest, QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from console.lib.durations import parse_duration, parse_share
from console.lib.local_time import BadTime, moment
from console.lib.problems import FieldError, Invalid

MAX_ID = 2**63 - 1  # of a row: bigint
MAX_REVISION = 2**31 - 1
REASON_MIN, REASON_MAX = 10, 500  # characters


class PageForm(forms.Form):
    """Base of all forms of pages. `several` is said above when more than one value is wrong, and
    always where each sentence stands beside its field (`is_beside`)."""

    several: str | Promise = gettext_lazy("Some values cannot be read. Nothing was done.")
    is_beside = False

    @classmethod
    def sent(cls, request: HttpRequest, **more: Any) -> Any:
        """Return the form as it was sent: the body of a POST, the query of anything else."""
        data = request.POST if request.method == "POST" else request.GET
        return cls(data, request.FILES or None, **more)

    def checked(self) -> dict[str, Any]:
        """Return the values by field. Raises Invalid, with one sentence for each that is wrong."""
        if not self.is_valid():
            wrong = [FieldError(path, says) for path, says in self.wrong.items()]
            is_one = len(wrong) == 1 and not self.is_beside
            says = wrong[0].message if is_one else str(self.several)
            raise Invalid(says, errors=wrong)
        return self.cleaned_data

    def known(self) -> dict[str, Any]:
        """Return the values by field; one that cannot be read counts as not given."""
        self.is_valid()
        return {
            name: self.cleaned_data.get(name, getattr(field, "empty_value", None))
            for name, field in self.fields.items()
        }

    @property
    def wrong(self) -> dict[str, str]:
        """The first sentence of each field that cannot be read, in the order of the form."""
        found = {name: str(says[0]) for name, says in self.errors.items()}
        return {name: found[name] for name in [*self.fields, *found] if name in found}

    @property
    def typed(self) -> dict[str, Any]:
        """What stands in each field of the page: what was typed, right or wrong, else its initial."""
        return {
            name: self[name].data or self.get_initial_for_field(field, name) or ""
            for name, field in self.fields.items()
        }


class LineField(forms.CharField):
    """Some text, stripped, "" when it is not given. Longer than `cut` it is cut."""

    def __init__(self, *, cut: int | None = None, **more: Any) -> None:
        super().__init__(**{"required": False, **more})
        self.cut = cut

    def to_python(self, value: Any) -> str:
        return str(super().to_python(value))[: self.cut]


class LongText(forms.CharField):
    """A text field of many lines, as it was written: browsers send its line breaks as CR LF.

    What may stand in it is for its own reader to say, which knows the line."""

    def __init__(self, **more: Any) -> None:
        super().__init__(**{"required": False, "strip": False, **more})
        self.validators = []

    def to_python(self, value: Any) -> str:
        return str(super().to_python(value)).replace("\r\n", "\n")


class SelectorText(LongText):
    """The text of a selector; what is wrong with it its grammar says, and where."""

    def __init__(self) -> None:
        super().__init__(strip=True)


class OneOf(forms.CharField):
    """One of a few words; `initial` when it is none of them or not given."""

    def __init__(self, words: Any, *, initial: str = "") -> None:
        super().__init__(required=False, initial=initial)
        self.words, self.empty_value = frozenset(words), initial

    def to_python(self, value: Any) -> str:
        word = str(super().to_python(value))
        return word if word in self.words else str(self.initial)


class Flag(forms.Field):
    """Anything that is given means yes, as `?raw=1` and a ticked box."""

    empty_value = False

    def __init__(self) -> None:
        super().__init__(required=False)

    def to_python(self, value: Any) -> bool:
        return bool(value)


class Parsed(forms.Field):
    """A value that is read from text by `read`; None when the field is empty.

    `read` raises ValueError (BadValue, BadTime) with a sentence; `says` replaces that sentence.
    """

    def __init__(
        self,
        read: Callable[[str], Any],
        *,
        says: str | Promise = "",
        needed: str | Promise = "",
        **more: Any,
    ) -> None:
        super().__init__(required=bool(needed), **more)
        self.read, self.says = read, says
        if needed:
            self.error_messages["required"] = str(needed)

    def to_python(self, value: Any) -> Any:
        text = str(value or "").strip()
        if not text:
            return None
        try:
            return self.read(text)
        except ValueError as bad:
            raise forms.ValidationError(str(self.says or bad), code="invalid") from bad


def whole(text: str) -> int | None:
    """Return a whole number that is written in ASCII digits, at most 19; None for anything else."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else None


class Number(Parsed):
    """A whole number of `low` to `high`."""

    def __init__(self, low: int = 0, high: int = MAX_ID, **more: Any) -> None:
        super().__init__(self._number, **more)
        self.low, self.high = low, high

    def _number(self, text: str) -> int:
        number = whole(text)
        if number is not None and self.low <= number <= self.high:
            return number
        bounds = {"low": f"{self.low:,}", "high": f"{self.high:,}"}
        raise ValueError(_("Write a whole number from %(low)s to %(high)s.") % bounds)


class Duration(Parsed):
    """A time as people write it: 90s, 15m, 30d (timedelta)."""

    def __init__(self, **more: Any) -> None:
        super().__init__(parse_duration, **more)


class ShareField(Parsed):
    """A share as people write it: 10 % is 0.1."""

    def __init__(self, **more: Any) -> None:
        super().__init__(parse_share, **more)


class Clock(Parsed):
    """A time of day without a zone: 18:00."""

    def __init__(self, **more: Any) -> None:
        super().__init__(self._clock, **more)

    @staticmethod
    def _clock(text: str) -> time:
        try:
            clock = time.fromisoformat(text)
        except ValueError as error:
            raise ValueError(_("Write a time like 18:00.")) from error
        if clock.tzinfo is not None:
            raise ValueError(_("Times of day are local to the zone of the window; leave it out."))
        return clock


class Moment(Parsed):
    """A day and a time in the zone of who wrote it (aware datetime)."""

    def __init__(self, zone: tzinfo, **more: Any) -> None:
        super().__init__(lambda text: self._moment(text, zone), **more)

    @staticmethod
    def _moment(text: str, zone: tzinfo) -> datetime:
        try:
            return moment(text, zone)
        except BadTime as bad:
            raise ValueError(f"{bad}.") from bad


class Day(Parsed):
    """A day as browsers send it: 2026-11-24 (date). Of this era: zones can be counted with."""

    YEARS = range(1970, 2201)

    def __init__(self, **more: Any) -> None:
        super().__init__(self._day, **more)

    @staticmethod
    def _day(text: str) -> date:
        says = _("Write a day like 2026-11-24.")
        try:
            day = date.fromisoformat(text)
        except ValueError as error:
            raise ValueError(says) from error
        if day.year not in Day.YEARS:
            raise ValueError(says)
        return day


class _Several(forms.SelectMultiple):
    """Every value of a name that was sent more than once."""


class Listed(forms.Field):
    """All values that were sent under one name (list of texts), each read by `read` if given.

    A value that cannot be read is left out: boxes are ticked, not written.
    """

    widget = _Several
    empty_value: tuple[()] = ()

    def __init__(self, read: Callable[[str], Any] = str, **more: Any) -> None:
        super().__init__(required=False, **more)
        self.read = read

    def to_python(self, value: Any) -> list[Any]:
        found = []
        for text in value or []:
            try:
                found.append(self.read(text))
            except ValueError:
                continue
        return found


class _Prefixed(forms.Widget):
    """Every name that begins with the field's own name and a dot."""

    def value_from_datadict(
        self, data: Mapping[str, Any], files: Any, name: str
    ) -> dict[str, list[str]]:
        assert isinstance(data, QueryDict)
        start = f"{name}."
        return {
            key.removeprefix(start): values for key, values in data.lists() if key.startswith(start)
        }


class NamedField(forms.Field):
    """Values of names like `label.env`, by what stands after the dot (dict of lists of texts)."""

    widget = _Prefixed

    def __init__(self) -> None:
        super().__init__(required=False)

    def to_python(self, value: Any) -> dict[str, list[str]]:
        return dict(value or {})


def reason_of(text: str, *, needed: bool = True) -> str:
    """Return the reason of an act. Raises ValidationError: too short where one is needed, too long."""
    if needed and len(text) < REASON_MIN:
        says = _("Write at least %(n)d characters: others read it later.") % {"n": REASON_MIN}
        raise forms.ValidationError(says)
    if len(text) > REASON_MAX:
        raise forms.ValidationError(_("At most %(n)d characters.") % {"n": REASON_MAX})
    return text
