"""Tags and filters of the console's templates. Markup lives in `templates/components/`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from urllib.parse import quote

from django import template
from django.contrib.humanize.templatetags.humanize import intcomma
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from agents.models import Agent
from agents.selectors.grammar import Selector, to_text
from agents.selectors.tree import Exact, Label
from console.pages.agents.filters import AgentFilter
from console.pages.drawing import charts
from console.pages.fleet.view import Overview
from console.words import actors, audit, choices, numbers, plain, times
from console.words import states as words
from console.words.events import Line
from rollouts.configs import diff

register = template.Library()


@register.simple_tag
def icon(name: str, css: str = "") -> SafeString:
    """Draw one symbol of the sprite. It never stands without a word, so it is hidden to readers."""
    return format_html(
        '<svg class="i{}" aria-hidden="true"><use href="{}#{}"/></svg>',
        f" {css}" if css else "",
        static("icons.svg"),
        name,
    )


@register.inclusion_tag("components/pill.html")
def pill(kind: str, state: str, *, quiet: bool = False, text: str = "") -> dict[str, object]:
    """Show a state as icon, word and colour; `text` replaces the word ("Staging: observing")."""
    return {"look": words.look(kind, state), "quiet": quiet, "text": text}


@register.simple_tag
def look(kind: str, state: str) -> words.Look:
    """Give a template the colour, icon and word of a state: `{% look "phase" s as l %}`."""
    return words.look(kind, state)


@register.simple_tag(takes_context=True)
def when(
    context: Mapping[str, object], at: datetime | None, style: str = "rel"
) -> str | SafeString:
    """Write a time: relative ("rel") or absolute, with the full form as its title (ui.md 8)."""
    if at is None:
        return plain.NO_VALUE
    zone = _zone(context)
    return format_html(
        '<time datetime="{}" title="{}" data-t="{}">{}</time>',
        times.stamp(at),
        times.full(at, zone),
        style,
        times.shown(at, style, now=_now(context), zone=zone),
    )


@register.simple_tag(takes_context=True)
def countdown(context: Mapping[str, object], deadline: datetime) -> SafeString:
    """Write the time left; the browser counts it down, readers hear the deadline beside it."""
    return format_html(
        '<time datetime="{}" data-deadline aria-hidden="true">{}</time>',
        times.stamp(deadline),
        times.countdown(deadline, _now(context)),
    )


def _zone(context: Mapping[str, object]) -> tzinfo:
    zone = context.get("zone")
    return zone if isinstance(zone, tzinfo) else UTC


def _now(context: Mapping[str, object]) -> datetime:
    now = context.get("now")
    return now if isinstance(now, datetime) else timezone.now()


@register.inclusion_tag("components/copy_id.html")
def copy_id(value: object, what: str) -> dict[str, object]:
    """Show the first characters of an id with a button that copies all of it."""
    return {"value": str(value), "what": what}


@register.simple_tag
def key(kind: str) -> SafeString:
    """Draw the key of one kind for a legend."""
    return charts.key(kind)


@register.simple_tag
def reading_key(kind: str) -> SafeString:
    """Draw the key of one kind of mark in a chart of readings."""
    return charts.reading_key(kind)


@register.filter
def count(value: int | None) -> str:
    """Write a number with separators; a dash when there is none."""
    return plain.NO_VALUE if value is None else str(intcomma(value))


@register.filter
def change(value: int) -> str:
    """Write by how much a number grew: plus two is `+2`, nothing `0`."""
    sign = "+" if value > 0 else "\N{MINUS SIGN}" if value < 0 else ""
    return sign + count(abs(value))


@register.filter
def percent(value: float | None) -> str:
    """Write a share (0 to 1) as a per cent: `10 %`, `0.42 %`; a dash when there is none."""
    return plain.NO_VALUE if value is None else numbers.percent(value)


@register.filter
def duration(value: timedelta | float | None) -> str:
    """Write a time span or seconds: `0.3 s`, `1 min 48 s`; a dash when there is none."""
    if value is None:
        return plain.NO_VALUE
    return times.exact_span(value.total_seconds() if isinstance(value, timedelta) else value)


@register.filter
def word(value: object, kind: str) -> object:
    """Say the value of a field that has few: `{{ rollback.method|word:"method_of_rollback" }}`."""
    return choices.word(kind, value)


@register.filter
def audit_act(value: str) -> object:
    """Say an act of the audit log."""
    return audit.act(value)


@register.filter
def audit_kind(value: str) -> object:
    """Say what kind of thing an act of the audit log was done to."""
    return audit.kind(value)


@register.filter(name="who")
def who_filter(name: str | None) -> str:
    """Name who acted: `{{ quarantine.by|who }}`, the policy where no person did."""
    return actors.who(name)


@register.filter(name="plain")
def plain_filter(value: object) -> str:
    """Make agent-given text safe to look at: escapes for invisible characters, 1 KiB at most."""
    return plain.plain(value)


@register.filter
def plain_lines(value: object) -> str:
    """The same with its line breaks and 64 KiB, for code blocks."""
    return plain.plain(value, limit=65536, keep_lines=True)


@register.filter
def first_line(value: object) -> str:
    """The first line of an agent's error, for lists."""
    return plain.first_line(value)


@register.filter
def short_hash(value: str) -> str:
    """The first eight characters of a hash."""
    return str(value)[:8]


@register.filter
def get(mapping: Mapping[str, object], name: str) -> object:
    """Look a key up whose name is only known at run time."""
    return mapping.get(name)


@register.simple_tag(takes_context=True)
def page_url(context: Mapping[str, object], **changes: str) -> str:
    """Return this page's query with the page keys replaced: every filter stays in the URL."""
    request = context["request"]
    assert isinstance(request, HttpRequest)
    query = request.GET.copy()
    for name in ("after", "before"):
        query.pop(name, None)
    for name, value in changes.items():
        query[name] = value
    return f"?{query.urlencode()}"


@register.inclusion_tag("components/timeline_line.html", takes_context=True)
def timeline_line(
    context: Mapping[str, object],
    line: Line,
    *,
    with_rollout: bool = False,
    with_evidence: bool = False,
    url: str = "",
    label: str = "",
) -> dict[str, object]:
    """Write one line of a timeline, `with_rollout` when lines of several rollouts are mixed; `url`
    leads to what stands behind it."""
    return {
        "url": url,
        "label": label,
        "line": line,
        "with_rollout": with_rollout,
        "with_evidence": with_evidence,
        "zone": context.get("zone"),
        "now": context.get("now"),
    }


@register.simple_tag
def agents_url(form: AgentFilter, **changes: str) -> str:
    """Return the agents list under the same filter with some keys changed."""
    return reverse("agents:list") + form.url(**changes)


SHOWN_LABELS = ("env", "region", "role", "tier")


@register.simple_tag
def agent_labels(agent: Agent) -> str:
    """Write the labels a row has room for: the values of the usual ones, in a fixed order. With their
    keys the last ones would be cut off."""
    labels = agent.labels or {}
    return " · ".join(plain.plain(labels[k], limit=40) for k in SHOWN_LABELS if labels.get(k))


@register.simple_tag
def selector_term(key: str, value: str) -> str:
    """Write `key=value` as a selector, quoted for a URL."""
    return quote(to_text(Selector((Label(str(key), (Exact(str(value)),)),))))


@register.simple_tag
def cause_link(cause: str) -> SafeString | str:
    """Write what caused something, `rollout:42` and `R-0042` as a link."""
    named = re.fullmatch(r"(?:rollout:|R-)(\d{1,18})", cause)
    if named:
        url = reverse("rollouts:detail", args=[int(named[1])])
        return format_html('<a href="{}">R-{}</a>', url, named[1].zfill(4))
    return plain.plain(cause.replace(":", " "))


@register.filter
def tzname(at: datetime, zone: tzinfo) -> str:
    """The short name of a zone at a time: CET."""
    return times.zone_name(at, zone)


@register.filter
def plain_line(value: object) -> str:
    """One line of a config, its invisible characters made visible, up to 4,000 characters."""
    return plain.plain(value, limit=4000, keep_lines=True)


@register.simple_tag
def source_line(line: diff.DiffLine | None, sign: str = "") -> SafeString | str:
    """Write a line of a difference with what changed marked; white space in it is shown.

    `sign` tells readers that the line was added or removed where no column does.
    """
    if line is None or line.kind is diff.LineKind.SAME:
        return plain_line(line.text) if line else ""
    parts = SafeString(
        "".join(
            format_html("<mark>{}</mark>" if part.is_changed else "{}", plain_line(part.text))
            for part in line.parts
        )
    )
    name = "ins" if line.kind is diff.LineKind.ADDED else "del"
    said = format_html('<span class="vh">{}</span>', sign) if sign else ""
    return format_html("{}<{}>{}</{}>", said, name, parts, name)


@register.simple_tag
def numbered_lines(lines: Sequence[diff.DiffLine]) -> str:
    """Write lines below each other, their number in front."""
    return "".join(f"{line.new_number:>5}  {plain_line(line.text)}\n" for line in lines)


@register.filter
def share_of_healthy(fleet: Overview) -> str:
    """The share of agents that are healthy."""
    return percent(round(fleet.healthy / fleet.total, 3)) if fleet.total else plain.NO_VALUE
