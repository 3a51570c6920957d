from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import call_command
from django.test import Client

from tests.console.api.people import by_session, by_token

EXPORTED = Path(__file__).resolve().parents[3] / "docs" / "openapi.yaml"


def test_the_exported_document_is_current(tmp_path: Path, settings: Any) -> None:
    """After a change of routes: `manage.py spectacular --file docs/openapi.yaml`."""
    settings.SESSION_COOKIE_NAME = "tidegate_session_8080"  # it carries the port of PUBLIC_URL
    made = tmp_path / "openapi.yaml"
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(made))
    assert yaml.safe_load(made.read_text()) == yaml.safe_load(EXPORTED.read_text())


@pytest.mark.django_db
def test_the_document_is_openapi_three_one() -> None:
    answer = by_token("viewer").get("/api/schema/?format=json")
    assert answer.json()["openapi"] == "3.1.0"


@pytest.mark.django_db
def test_the_document_is_for_people_who_are_signed_in() -> None:
    assert Client().get("/api/schema/").status_code == 401


@pytest.mark.django_db
def test_the_page_of_the_document_has_no_inline_script() -> None:
    page = by_session("viewer").get("/api/docs/").content.decode()
    assert "swagger-ui-bundle.js" in page
    assert "<script>" not in page
    assert "style=" not in page
