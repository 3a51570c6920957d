"""The frame of every page: navigation with counts, theme, time zone, address of the live feed."""

from __future__ import annotations

import re
import zoneinfo
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import cached_property

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.actor import Actor
from accounts.models import Role
from accounts.policy import roles_of
from console.pages.frame import counts
from console.words import browser

LIVE_PATH = "/ws/console/?t=nav"
# After what the counts beside the navigation are read again.
COUNTS_FOLLOW = (
    *("rollouts-changed from:body", "approvals-changed from:body"),
    *("quarantines-changed from:body", "live-resync"),
)


@dataclass(frozen=True, slots=True)
class NavItem:
    """One area in the navigation. `area` names the live count beside it, if it has one."""

    label: str | Promise
    icon: str
    url: str
    is_current: bool
    area: str = ""
    count: int = 0


# label, icon, route, URL prefixes that mark it current, area with a count
SAFETY = ("quarantine", "freeze", "budgets", "guards", "retirement", "signing-keys")
AREAS = (
    (_("Overview"), "nav-overview", "fleet:overview", ("/needs/",), "needs"),
    (_("Agents"), "nav-agents", "agents:list", ("/agents/",), ""),
    (_("Configs"), "nav-configs", "configs:list", ("/configs/",), ""),
    (
        *(_("Rollouts"), "nav-rollouts", "rollouts:list"),
        *(("/rollouts/", "/rollbacks/", "/plans/"), "rollouts"),
    ),
    (_("Approvals"), "nav-approvals", "approvals:inbox", ("/approvals/",), "approvals"),
    (_("Certificates"), "nav-certificates", "certificates:list", ("/certificates/",), ""),
    (
        *(_("Safety"), "lock", "settings:quarantine"),
        *(tuple(f"/settings/{name}/" for name in SAFETY), ""),
    ),
    (_("Audit"), "nav-audit", "audit:list", ("/audit/",), ""),
    (_("Settings"), "nav-settings", "settings:profile", ("/settings/profile/",), ""),
)


class Frame:
    """What `base.html` needs; counts are read only when the navigation is drawn."""

    def __init__(self, request: HttpRequest, now: datetime) -> None:
        self._request = request
        self._now = now
        self._user = getattr(request, "user", None)
        self.server_ms = int(now.timestamp() * 1000)
        self.language = translation.get_language() or "en"
        self.live_path = LIVE_PATH
        self.counts_follow = ", ".join(COUNTS_FOLLOW)
        self.words = browser.words()

    @property
    def opamp_url(self) -> str:
        """The address agents connect to, as the first-use page shows it."""
        host = re.sub(r":\d+$", "", self._request.get_host())
        return settings.OPAMP_URL or f"ws://{host}:4320/v1/opamp"

    @property
    def theme(self) -> str:
        """`light` or `dark` when the person chose one; "" follows the system."""
        chosen = getattr(self._user, "theme", "system")
        return "" if chosen == "system" else chosen

    @property
    def zone_name(self) -> str:
        """The person's own time zone; "" lets the browser decide."""
        return getattr(self._user, "time_zone", "")

    @cached_property
    def roles(self) -> list[str]:
        if self._user is None or not self._user.is_authenticated:
            return []
        held = roles_of(Actor.of(self._user))
        return [role.value for role in Role if role.value in held]

    @property
    def asked(self) -> int:
        """How many things need this person: said first in the title of every page."""
        return sum(item.count for item in self.nav if item.area == "needs")

    @property
    def keys(self) -> str:
        """`off` for a person who switched single-key shortcuts off (WCAG 2.1.4)."""
        return "" if getattr(self._user, "single_keys", True) else "off"

    @property
    def rows(self) -> str:
        """`compact` for a person who wants low rows."""
        return "compact" if getattr(self._user, "compact_rows", False) else ""

    @property
    def is_production(self) -> bool:
        """Whether what is done here reaches agents of production."""
        return bool(self._numbers.get(counts.PRODUCTION))

    @cached_property
    def _numbers(self) -> dict[str, int]:
        if self._user is None or not self._user.is_authenticated:
            return {}
        rows = getattr(self._request, "counted", None)  # by a page that shows more of it
        if rows is None:
            rows = counts.read(Actor.of(self._user), self._now)
        return counts.for_navigation(rows)

    @cached_property
    def nav(self) -> list[NavItem]:
        if self._user is None or not self._user.is_authenticated:
            return []
        numbers = self._numbers
        path = self._request.path
        return [
            NavItem(
                label=label,
                icon=icon,
                url=reverse(route),
                is_current=path == reverse(route) or path.startswith(prefixes),
                area=area,
                count=numbers.get(area, 0),
            )
            for label, icon, route, prefixes, area in AREAS
        ]


def zone_of(user: object) -> tzinfo:
    """Return the time zone a page is written in before the browser puts in its own."""
    name = getattr(user, "time_zone", "") or settings.TIME_ZONE
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return UTC


def frame(request: HttpRequest) -> dict[str, object]:
    """Context processor: `frame`, `zone`, `now`, `csp_nonce` for every template."""
    now = timezone.now()
    return {
        "frame": Frame(request, now),
        "zone": zone_of(getattr(request, "user", None)),
        "now": now,
        "csp_nonce": getattr(request, "csp_nonce", ""),
    }
