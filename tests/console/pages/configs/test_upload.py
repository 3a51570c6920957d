"""Uploading a version by the form: exact bytes, or one sentence about what is wrong."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from console.lib.yaml import DEFAULT_LIMITS
from rollouts.models import ConfigVersion
from tests.console.pages.rows import sign_in

pytestmark = pytest.mark.django_db
GOOD = b"receivers:\r\n  otlp:\r\n"


def upload(role: str = "author", **form: Any) -> Any:
    return sign_in("lin", role).post("/configs/new/", {"name": "edge", "message": "", **form})


def file(body: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile("edge.yaml", body)


def kept() -> bytes:
    return bytes(ConfigVersion.objects.get().body_ref.body)


def test_a_file_is_kept_byte_by_byte() -> None:
    answer = upload(file=file(GOOD))
    assert (answer.status_code, answer.headers["Location"]) == (303, "/configs/edge/")
    assert kept() == GOOD


def test_pasted_text_has_the_line_breaks_of_a_file() -> None:
    upload(text=GOOD.decode())
    assert kept() == GOOD.replace(b"\r\n", b"\n")


def test_a_file_may_be_as_large_as_over_the_api() -> None:
    comment = b"#" + b"x" * 2 * 1024 * 1024 + b"\n"
    assert upload(file=file(comment + GOOD)).status_code == 303


def test_a_file_over_the_limit_is_refused_with_the_limit() -> None:
    answer = upload(file=file(b"x" * (DEFAULT_LIMITS.size_bytes + 1)))
    assert answer.status_code == 413
    assert f"at most {DEFAULT_LIMITS.size_bytes:,}" in answer.content.decode()
    assert not ConfigVersion.objects.exists()


def test_what_is_no_config_is_shown_again_with_its_line() -> None:
    answer = upload(text="receivers:\n  otlp: [\n")
    assert answer.status_code == 422
    assert "edge.yaml:" in answer.content.decode()
    assert "otlp: [" in answer.content.decode()


def test_only_authors_upload() -> None:
    assert upload("operator", file=file(GOOD)).status_code == 403
