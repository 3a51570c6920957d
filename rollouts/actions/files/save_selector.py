"""Save a selector under a name, to be used as `@name` in others."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from accounts.actor import Actor
from accounts.audit import record
from accounts.policy import require
from agents.selectors.grammar import parse_any, to_text
from agents.selectors.references import check_references
from rollouts.actions.files.upload_config import check_name
from rollouts.models import NamedSelector
from rollouts.selectors import saved_selectors


def save_selector(*, name: str, selector: object, by: Actor) -> NamedSelector:
    """Save a selector, given as text or in YAML form; the same again changes nothing.

    Raises Denied, and Invalid when it cannot be read, or refers to a selector that is missing or
    leads back to itself.
    """
    require(by, "selectors.write")
    check_name(name, "name")
    tree = parse_any(selector)
    text = to_text(tree)
    with transaction.atomic():
        check_references(name, tree, saved_selectors())
        known = NamedSelector.objects.select_for_update(no_key=True).filter(name=name).first()
        if known is not None and known.text == text:
            return known
        saved, created = NamedSelector.objects.update_or_create(
            name=name,
            defaults={"text": text, "updated_at": timezone.now(), "updated_by": by.user},
        )
        record(
            actor=by,
            act="selectors.create" if created else "selectors.change",
            object_kind="selector",
            object_id=saved.pk,
            object_name=name,
            details={"text": text, "before": known.text if known else None},
        )
    return saved
