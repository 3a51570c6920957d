"""Uploading a version by the form: exact bytes, or one sentence about what is wrong."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from console.lib.yaml import DEFAULT_LIMITS
from rollouts.models import ConfigVersion
from tests.console.pages.markup import markup
from tests.make.agents import make_fleet
from tests.make.configs import make_config
from tests.make.people import sign_in

pytestmark = pytest.mark.django_db
GOOD = b"receivers:\r\n  otlp:\r\n"


def upload(role: str = "author", **form: Any) -> Any:
    given = {"name": "edge", "message": "", "in_spite": "edge", **form}
    return sign_in("lin", role).post("/configs/new/", given)


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


FINE = b"""\
receivers: {otlp: }
exporters: {debug: }
service: {pipelines: {traces: {receivers: [otlp], exporters: [debug]}}}
"""


def test_a_check_says_what_is_found_and_saves_nothing() -> None:
    answer = upload(text=GOOD.decode(), act="check", in_spite="")
    assert answer.status_code == 200
    assert answer.context["checks"].errors
    assert "cannot be rolled out" in answer.content.decode()
    assert not ConfigVersion.objects.exists()


@pytest.mark.parametrize("typed", ["", "Edge", "other"])
def test_a_version_with_errors_is_saved_only_by_its_name(typed: str) -> None:
    answer = upload(text=GOOD.decode(), in_spite=typed)
    text = answer.content.decode()
    assert answer.status_code == 422
    assert "Nothing was saved" in text
    assert 'name="in_spite"' in text
    assert not ConfigVersion.objects.exists()


def test_what_has_no_error_is_saved_without_a_word() -> None:
    assert upload(text=FINE.decode(), in_spite="").status_code == 303


def test_a_check_while_writing_answers_its_part_alone() -> None:
    client = sign_in("lin", "author")
    headers = {"HX-Request": "true", "HX-Target": "checked"}
    data = {"name": "edge", "text": "receivers: [", "act": "check"}
    answer = client.post("/configs/new/", data, headers=headers)
    text = answer.content.decode()
    assert "<html" not in text
    assert 'id="checked"' in text
    assert answer.status_code == 422


def written(version: ConfigVersion) -> str:
    return bytes(version.body_ref.body).decode()


def test_the_editor_begins_with_the_version_in_use() -> None:
    versions = make_config("edge", 3)
    make_fleet(4, running=versions[1].config_hash)
    client = sign_in("lin", "author")
    page = client.get("/configs/edge/edit/")
    assert page.context["base"] == versions[1]
    assert "based on v2, which 4 agents run" in markup(page)
    assert page.context["text"] == written(versions[1])
    chosen = client.get("/configs/edge/edit/?base=1")
    assert chosen.context["text"] == written(versions[0])
    assert client.get("/configs/edge/edit/?base=9").status_code == 404
    data = {"name": "edge", "text": written(versions[1]) + "# new\n", "base": "2", "act": "check"}
    checked = client.post("/configs/edge/edit/", data)
    assert "Changes against v2" in markup(checked)
    assert "# new" in checked.content.decode()


def test_without_anybody_who_runs_one_it_begins_with_the_newest() -> None:
    versions = make_config("edge", 2)
    page = sign_in("lin", "author").get("/configs/edge/edit/")
    assert page.context["base"] == versions[1]


def test_after_saving_the_difference_is_to_what_runs() -> None:
    versions = make_config("edge", 3)
    make_fleet(4, running=versions[0].config_hash)
    answer = sign_in("vera", "viewer").get("/configs/edge/")
    assert answer.headers["Location"] == "/configs/edge/diff/1...3/"
