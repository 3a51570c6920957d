"""Apply files of configs, plans and selectors: idempotent, all of them or none (spec section 3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.db import transaction

from accounts.actor import Actor
from agents.selectors.grammar import parse
from agents.selectors.references import names_in
from rollouts.actions.files.save_plan import save_plan
from rollouts.actions.files.save_selector import save_selector
from rollouts.actions.files.upload_config import upload_config
from rollouts.configs.diff import patch
from rollouts.configs.findings import worded
from rollouts.documents import DocumentItem, DocumentKind, File, read_files
from rollouts.models import ConfigVersion, NamedSelector, Plan
from rollouts.selectors import notes_on


class Change(StrEnum):
    """What applying one thing did, or with `dry_run` would do."""

    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Applied:
    """The outcome for one thing. `difference` is a unified patch, empty when unchanged; `version`
    is that of a config, 0 for the rest; `checks` are a config's, worded; `notes` say what may be
    wrong with the selectors of a plan or a selector."""

    kind: DocumentKind
    name: str
    change: Change
    file: str
    difference: str = ""
    version: int = 0
    checks: tuple[dict[str, object], ...] = ()
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, object]:
        """Return JSON data, as the API answers."""
        return {
            "kind": self.kind.value,
            "name": self.name,
            "change": self.change.value,
            "file": self.file,
            "difference": self.difference,
            "notes": list(self.notes),
            **({"version": self.version, "checks": list(self.checks)} if self.version else {}),
        }


def apply_documents(*, files: Sequence[File], by: Actor, dry_run: bool = False) -> list[Applied]:
    """Make the database hold what the files say, in one transaction.

    `dry_run` does the same and takes it back, so that it meets every rule the real run would.
    Raises Invalid (every mistake with file and line), Denied, Refused; then nothing is done.
    """
    wanted = read_files(files)
    with transaction.atomic():
        applied = [_apply(one, by) for one in _in_order(wanted)]
        if dry_run:
            transaction.set_rollback(True)
    return applied


def _apply(wanted: DocumentItem, by: Actor) -> Applied:
    if wanted.kind is DocumentKind.CONFIG:
        return _apply_config(wanted, by)
    if wanted.kind is DocumentKind.PLAN:
        before = Plan.objects.filter(name=wanted.name).values_list("text", flat=True).first()
        plan = save_plan(name=wanted.name, text=wanted.text, by=by, file=wanted.file)
        asked = [phase["selector"] for phase in plan.parsed["phases"] if phase["selector"]]
        return _outcome(wanted, before, wanted.text, asked)
    saved = NamedSelector.objects.filter(name=wanted.name).values_list("text", flat=True)
    before = saved.first()
    save_selector(name=wanted.name, selector=wanted.text, by=by)
    return _outcome(wanted, before, wanted.text, [wanted.text])


def _apply_config(wanted: DocumentItem, by: Actor) -> Applied:
    versions = ConfigVersion.objects.filter(config__name=wanted.name).select_related("body_ref")
    latest = versions.order_by("-number").first()
    done = upload_config(name=wanted.name, body=wanted.body, by=by, message=wanted.message)
    before = None if latest is None else bytes(latest.body_ref.body).decode("utf-8", "replace")
    outcome = _outcome(wanted, before, wanted.text) if done.created else None
    return Applied(
        kind=wanted.kind,
        name=wanted.name,
        change=outcome.change if outcome else Change.UNCHANGED,
        file=wanted.file,
        difference=outcome.difference if outcome else "",
        version=done.version.number,
        checks=tuple(worded(check) for check in done.version.checks),
    )


def _outcome(
    wanted: DocumentItem, before: str | None, after: str, selectors: Sequence[str] = ()
) -> Applied:
    label = f"{wanted.kind}/{wanted.name}"
    notes = tuple(notes_on(map(parse, selectors)))
    if before == after:
        return Applied(wanted.kind, wanted.name, Change.UNCHANGED, wanted.file, notes=notes)
    end = "\n" if wanted.kind is DocumentKind.SELECTOR else ""
    old = "" if before is None else before + end
    difference = patch(old, after + end, f"a/{label}", f"b/{label}")
    change = Change.CREATED if before is None else Change.CHANGED
    return Applied(wanted.kind, wanted.name, change, wanted.file, difference, notes=notes)


def _in_order(wanted: Sequence[DocumentItem]) -> list[DocumentItem]:
    """Put selectors after those they refer to. What refers in a circle comes last and is refused
    when it is saved."""
    left = [one for one in wanted if one.kind is DocumentKind.SELECTOR]
    ordered: list[DocumentItem] = []
    while left:
        names = {one.name for one in left}
        ready = [one for one in left if not names_in(parse(one.text)) & names] or left
        ordered += ready
        left = [one for one in left if one not in ready]
    return ordered + [one for one in wanted if one.kind is not DocumentKind.SELECTOR]
