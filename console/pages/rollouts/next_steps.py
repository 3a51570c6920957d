"""What to do after a rollout came back, for the person who looks: each step with its page, or who may."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlencode

from django.db.models import Max
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.actor import Actor
from accounts.policy import can
from accounts.roles import holders
from agents.models import Quarantine
from console.pages.rollouts.phases import CAME_BACK
from console.pages.said import places_view
from console.words import plain
from console.words import ways_back as words
from rollouts.errors import report, said
from rollouts.errors.groups import NOBODY
from rollouts.errors.report import ErrorReport
from rollouts.models import Rollout

_SHOWN = "“%s”"


@dataclass(frozen=True, slots=True)
class NextStep:
    """One step: where it leads and what it is good for; `why_not` says who may when this person
    may not."""

    label: str
    icon: str
    url: str
    about: str
    why_not: str = ""


def steps(rollout: Rollout, actor: Actor) -> list[NextStep]:
    """Return the steps in the order in which people take them; none while nothing came back."""
    if rollout.state not in CAME_BACK:
        return []
    faults = said.of_rollouts([rollout.pk]).get(rollout.pk, NOBODY)
    errors = report.report(faults, rollout.version, rollout.previous_version)
    found = [_said(errors), _line(errors) or _changed(rollout), _write(rollout, actor)]
    return [
        *(step for step in found if step is not None),
        *_kept_back(rollout, actor),
        _course(rollout),
    ]


def _said(errors: ErrorReport) -> NextStep | None:
    if not errors:
        return None
    about = words.agents_said(errors.agents)
    return NextStep(_("See what the agents said"), "nav-agents", "#errors", about)


def _line(errors: ErrorReport) -> NextStep | None:
    """Lead to the line that most agents named; None where none named any."""
    named = [place for one in errors.located for place in one.places]
    if not named:
        return None
    [place] = places_view(named[:1], errors.version, errors.before)
    line, was = place.place.line, place.place.was
    label = _("See line %(line)d of v%(n)d") % {"line": line.number, "n": errors.version.number}
    about = _SHOWN % plain.plain(line.text.strip(), limit=80)
    if was is not None and was.text != line.text:
        former = _SHOWN % plain.plain(was.text.strip(), limit=80)
        about = _("%(line)s, %(v)s had %(was)s") % {
            "line": about,
            "v": place.before,
            "was": former,
        }
    return NextStep(label, "nav-configs", place.url, about)


def _changed(rollout: Rollout) -> NextStep:
    name, new, old = rollout.config.name, rollout.version, rollout.previous_version
    version = f"v{new.number}"
    if old is None:
        url = reverse("configs:version", args=[name, new.number])
        return NextStep(_("Read %(v)s") % {"v": version}, "nav-configs", url, "")
    url = reverse("configs:diff", args=[name, old.number, new.number])
    about = _("The lines in which it differs from v%(n)d") % {"n": old.number}
    return NextStep(_("See what %(v)s changed") % {"v": version}, "nav-configs", url, about)


def _write(rollout: Rollout, actor: Actor) -> NextStep | None:
    config, base = rollout.config, rollout.previous_version
    if base is None:
        return None
    newest = config.versions.aggregate(n=Max("number"))["n"] or 0
    url = f"{reverse('configs:edit', args=[config.name])}?{urlencode({'base': base.number})}"
    label = _("Write v%(n)d from v%(base)d") % {"n": newest + 1, "base": base.number}
    about = _("The editor begins with what the agents run now")
    return NextStep(label, "draft", url, about, _why_not(actor, "configs.write"))


def _kept_back(rollout: Rollout, actor: Actor) -> Iterator[NextStep]:
    live = Quarantine.objects.filter(agent=None, lifted_at=None)
    if not live.filter(config_hash=rollout.version.config_hash).exists():
        return
    yield NextStep(
        _("Lift the quarantine of v%(n)d…") % {"n": rollout.version.number},
        "lock",
        reverse("settings:quarantined", args=[rollout.version.config_hash]),
        _("Only if the version was not at fault"),
        _why_not(actor, "quarantine.lift"),
    )


def _course(rollout: Rollout) -> NextStep:
    url = reverse("rollouts:timeline", args=[rollout.pk])
    return NextStep(_("See how it went"), "clock", url, _("Second by second, with the readings"))


def _why_not(actor: Actor, verb: str) -> str:
    answer = can(actor, verb)
    if answer:
        return ""
    names = holders(verb)
    if not names:
        return answer.why_not
    return _("%(who)s may do this.") % {"who": ", ".join(names)}
