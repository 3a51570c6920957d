from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from accounts.models import AuditEvent
from rollouts.models import ConfigVersion, Plan
from tests.make.agents import make_collector
from tests.make.people import make_actor

CONFIG = "receivers:\n  otlp:\nprocessors:\n  batch:\n"
PLAN = "phases:\n  - {weight: 100%, duration: 1m}\n"

pytestmark = pytest.mark.django_db


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "edge.yaml").write_text(CONFIG)
    (tmp_path / "mine.yaml").write_text(PLAN)
    return tmp_path


def apply(*arguments: str) -> list[str]:
    out = io.StringIO()
    call_command("apply", *arguments, stdout=out)
    return out.getvalue().splitlines()


def test_files_and_directories_are_applied(files: Path) -> None:
    lines = apply("-f", str(files))
    assert lines[0] == "plan mine: created"
    assert "config edge v1: created" in lines
    assert Plan.objects.filter(name="mine").exists()


def test_a_second_run_says_that_nothing_changed(files: Path) -> None:
    apply("-f", str(files / "mine.yaml"))
    assert apply("-f", str(files / "mine.yaml")) == ["plan mine: unchanged"]


def test_a_dry_run_prints_the_difference(files: Path) -> None:
    apply("-f", str(files / "edge.yaml"))
    (files / "edge.yaml").write_text(CONFIG.replace("batch", "filter"))
    lines = apply("--dry-run", "-f", str(files / "edge.yaml"))
    assert lines[0] == "config edge v2: would be changed"
    assert {"-  batch:", "+  filter:"} <= set(lines)
    assert ConfigVersion.objects.count() == 1


def test_findings_are_printed_with_their_lines(files: Path) -> None:
    lines = apply("-f", str(files / "edge.yaml"))
    assert "  note: line 4: processor batch is defined but not used." in lines


def test_mistakes_are_printed_with_file_and_line(files: Path) -> None:
    (files / "mine.yaml").write_text("phases:\n  - {weight: 10, duration: 15}\n")
    with pytest.raises(CommandError) as caught:
        apply("-f", str(files / "mine.yaml"))
    path = files / "mine.yaml"
    assert str(caught.value).splitlines() == [
        f"{path}:2: weight 10 has no unit; write 10%",
        f"{path}:2: duration 15 has no unit; write 15m",
    ]


def test_a_missing_file_is_named() -> None:
    with pytest.raises(CommandError, match=r"nowhere\.yaml: No such file"):
        apply("-f", "nowhere.yaml")


def test_the_outcome_can_be_read_by_scripts(files: Path) -> None:
    (outcome,) = json.loads("\n".join(apply("--json", "-f", str(files / "edge.yaml"))))
    assert (outcome["kind"], outcome["name"], outcome["version"]) == ("config", "edge", 1)


def test_it_can_act_as_a_person_with_that_persons_roles(files: Path) -> None:
    make_actor("author", name="chen")
    make_actor("viewer", name="wei")
    apply("-f", str(files), "--user", "chen")
    assert AuditEvent.objects.filter(actor_name="chen").exists()
    (files / "edge.yaml").write_text(CONFIG + "exporters:\n")
    with pytest.raises(CommandError, match="Needs the role"):
        apply("-f", str(files), "--user", "wei")
    with pytest.raises(CommandError, match="no user nobody"):
        apply("-f", str(files), "--user", "nobody")


def test_a_label_that_nobody_has_is_said(tmp_path: Path) -> None:
    make_collector({"env": "prod"})
    (tmp_path / "mine.yaml").write_text("selectors: [{name: s, labels: {nmae: x}}]\n")
    (tmp_path / "plan.yaml").write_text(
        "phases: [{weight: 100%, duration: 1m, selector: enc=prod}]\n"
    )
    said = apply("-f", str(tmp_path), "--dry-run")
    assert "  note: No agent has the label nmae; did you mean name?" in said
    assert "  note: No agent has the label enc." in said
