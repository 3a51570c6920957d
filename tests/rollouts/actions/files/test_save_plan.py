from __future__ import annotations

import pytest

from accounts.actor import Actor
from accounts.models import AuditEvent
from console.lib.problems import Denied, Invalid, Refused
from rollouts.actions.files.save_plan import save_plan
from rollouts.builtin_plans import keep_builtin_plans
from rollouts.models import Plan as PlanRow
from rollouts.plans.builtin import NAMES, builtin_plan
from rollouts.plans.plan import Plan
from tests.make.people import make_actor

TEXT = "phases:\n  - {weight: 100%, duration: 1m}\n"

pytestmark = pytest.mark.django_db


@pytest.fixture
def author() -> Actor:
    return make_actor("author")


def test_a_plan_is_kept_as_written_and_as_read(author: Actor) -> None:
    row = save_plan(name="mine", text=TEXT, by=author)
    row.refresh_from_db()
    assert row.text == TEXT
    assert [phase.name for phase in Plan.from_dict(row.parsed).phases] == ["100%"]


def test_a_changed_plan_is_saved_and_audited(author: Actor) -> None:
    save_plan(name="mine", text=TEXT, by=author)
    save_plan(name="mine", text=TEXT.replace("1m", "2m"), by=author)
    assert PlanRow.objects.get(name="mine").parsed["phases"][0]["duration_s"] == 120
    acts = AuditEvent.objects.filter(object_kind="plan").values_list("act", flat=True)
    assert list(acts.order_by("pk")) == ["plans.create", "plans.change"]


def test_the_same_plan_again_changes_nothing(author: Actor) -> None:
    first = save_plan(name="mine", text=TEXT, by=author)
    assert save_plan(name="mine", text=TEXT, by=author).updated_at == first.updated_at
    assert AuditEvent.objects.filter(object_kind="plan").count() == 1


def test_a_wrong_plan_is_refused_with_its_line(author: Actor) -> None:
    with pytest.raises(Invalid, match=r"mine\.yaml:2: weight 10 has no unit; write 10%"):
        save_plan(name="mine", text="phases:\n  - {weight: 10, duration: 1m}", by=author)
    assert not PlanRow.objects.filter(name="mine").exists()


def test_the_name_in_the_file_must_agree(author: Actor) -> None:
    with pytest.raises(Invalid, match='the file names the plan "other"'):
        save_plan(name="mine", text=f"name: other\n{TEXT}", by=author)


def test_a_built_in_plan_is_not_overwritten(author: Actor) -> None:
    with pytest.raises(Refused, match="built-in"):
        save_plan(name="standard", text=TEXT, by=author)


def test_only_authors_save_plans() -> None:
    with pytest.raises(Denied):
        save_plan(name="mine", text=TEXT, by=make_actor("operator"))


def test_built_in_plans_are_there_after_migration() -> None:
    kept = {row.name: Plan.from_dict(row.parsed) for row in PlanRow.objects.filter(built_in=True)}
    assert kept == {name: builtin_plan(name) for name in NAMES}


def test_built_in_plans_follow_the_files_and_spare_those_of_people(author: Actor) -> None:
    PlanRow.objects.filter(name="quick").update(text="old")
    PlanRow.objects.filter(name="standard").update(built_in=False, text="mine")
    keep_builtin_plans(apps=PlanRow._meta.apps, using="default")
    assert PlanRow.objects.get(name="quick").text != "old"
    assert PlanRow.objects.get(name="standard").text == "mine"
