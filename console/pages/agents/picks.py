"""What is done with the agents picked in the list: a page that takes a selector gets one for them."""

from __future__ import annotations

from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponseRedirect, QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from agents.selectors.fields import ID, STATUS
from agents.selectors.grammar import Match, Selector, to_text
from agents.selectors.tree import Exact, Label, selector_of
from console.pages.agents import filters as agent_filters
from console.pages.agents.filters import AgentFilter, replace_label
from console.pages.frame.forms import Flag, Listed, OneOf, PageForm
from console.pages.frame.needs import needs

TO = {"rollout": "rollouts:new", "retire": "agents:retire-selection"}


class PicksForm(PageForm):
    """Which agents: those ticked, or all that match; and where to go with them."""

    id = Listed()
    all = Flag()
    to = OneOf(TO)


@require_GET
@needs("agents.view")
def picked(request: HttpRequest) -> HttpResponseRedirect:
    """Go to the page that was asked for with the selector of what was picked."""
    asked = PicksForm(request.GET).known()
    found = selector_for(request.GET, asked["id"], every=asked["all"])
    if found is None or not asked["to"]:
        messages.warning(request, _("No agent was picked, or no selector means just these."))
        form = agent_filters.read(request.GET)
        return HttpResponseRedirect(reverse("agents:list") + form.url())
    query = urlencode({"q": to_text(found)})
    return HttpResponseRedirect(f"{reverse(TO[asked['to']])}?{query}")


def selector_for(given: QueryDict, ids: list[str], *, every: bool) -> Selector | None:
    """Return the selector of these agents, or of every one that the filter means; None when there is
    none: nothing is picked, or the filter joins its terms with "or" beside statuses."""
    form = agent_filters.read(given)
    if not every:
        return (
            selector_of([Label(ID, tuple(Exact(uid) for uid in ids))], Match.ALL) if ids else None
        )
    return None if form.error is not None else _of_filter(form)


def _of_filter(form: AgentFilter) -> Selector | None:
    if not form.statuses:
        return form.selector
    if form.selector.match is not Match.ALL:
        return None
    return replace_label(form.selector, STATUS, form.statuses)
