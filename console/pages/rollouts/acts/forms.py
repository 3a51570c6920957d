"""What the dialogs of acts on a rollout ask, read by Django forms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from console.pages.frame.forms import MAX_REVISION, LineField, Number, OneOf, PageForm, reason_of
from console.pages.rollouts.acts.dialogs import Dialog
from rollouts.models import Rollout


@dataclass(frozen=True, slots=True)
class ActGiven:
    """What a person sent with a dialog. `revision` is what they saw, None when it was not sent."""

    reason: str
    revision: int | None
    mode: str = ""
    digest: str = ""
    phase: str = ""
    gate: str = ""


class ActForm(PageForm):
    """A reason, and the rollout's number where the dialog wants it typed."""

    several = gettext_lazy("Something is missing. Nothing was done.")
    reason = LineField()
    number = LineField()
    revision = Number(0, MAX_REVISION)

    def __init__(self, data: QueryDict, *, dialog: Dialog, rollout: Rollout) -> None:
        super().__init__(data)
        self.dialog, self.rollout = dialog, rollout

    def clean_reason(self) -> str:
        return reason_of(self.cleaned_data["reason"], needed=self.dialog.reason_required)

    def clean_number(self) -> str:
        number: str = self.cleaned_data["number"].upper()
        if self.dialog.type_number and number != self.rollout.number:
            text = _("Type %(number)s to confirm.") % {"number": self.rollout.number}
            raise forms.ValidationError(text)
        return number

    def given(self) -> ActGiven:
        """Return what was sent. Raises Invalid with what is missing, in the order of the form."""
        values: dict[str, Any] = self.checked()
        values.pop("number")
        return ActGiven(**values)


class AbortForm(ActForm):
    """Which way: back (the first), or left as it is."""

    mode = OneOf(("rollback", "leave"))


class DecisionForm(ActForm):
    """Which phase, and the evidence that was shown with the question."""

    phase = LineField()
    digest = LineField()


class WaiveForm(ActForm):
    """Which gate of which phase."""

    phase = LineField()
    gate = LineField(cut=200)
