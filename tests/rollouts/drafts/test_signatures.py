"""What preflight says of signatures."""

from __future__ import annotations

from typing import Any

import pytest

from rollouts.drafts.finding import BLOCK
from rollouts.drafts.readiness import readiness_of
from tests.make.configs import make_version
from tests.make.signing import make_signed, make_unsigned
from tests.rollouts.fleet import Fleet

pytestmark = pytest.mark.django_db
CHECKS = {"signature", "previous_version_unsigned"}


def said(fleet: Fleet) -> dict[str, tuple[str, int]]:
    """Return level and agents of what is said of signatures, by check."""
    found = readiness_of(fleet.draft())
    return {f.check: (f.level, f.count) for f in found if f.check in CHECKS}


def test_unsigned_versions_are_fine_where_none_is_required() -> None:
    assert said(Fleet(2)) == {}


def test_an_unsigned_version_blocks_where_signatures_are_required(
    settings: Any,
) -> None:
    settings.CONFIG_SIGNING_REQUIRED = True
    fleet = Fleet(2)
    assert said(fleet) == {
        "signature": (BLOCK, 0),
        "previous_version_unsigned": (BLOCK, 2),
    }


def test_signed_versions_pass_where_signatures_are_required(settings: Any) -> None:
    settings.CONFIG_SIGNING_REQUIRED = True
    fleet = Fleet(2)
    for version in (fleet.v1, fleet.v2):
        make_signed(version.config_hash, version=version.number)
    assert said(fleet) == {}


def test_a_signature_that_does_not_verify_blocks_always() -> None:
    fleet = Fleet(2)
    make_signed(fleet.v2.config_hash, version=2, signature="AAAA")
    assert said(fleet) == {"signature": (BLOCK, 0)}


def test_why_a_version_is_not_signed_is_said(settings: Any) -> None:
    settings.CONFIG_SIGNING_REQUIRED = True
    fleet = Fleet(1)
    version = make_version()
    row = make_unsigned(version)
    row.error = "the key is in use elsewhere"
    row.save()
    [found] = [
        f for f in readiness_of(fleet.draft(version=version.number)) if f.check == "signature"
    ]
    assert "the key is in use elsewhere" in str(found.text)
