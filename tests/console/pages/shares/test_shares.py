"""Links to how a rollout went: made, shown once, opened without an account, revoked; nothing else."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from accounts.actor import Actor
from accounts.models import AuditEvent, RoleBinding, User
from agents.models import ConfigBody
from console.lib.logs import JsonFormatter, TextFormatter
from console.lib.problems import Denied, Invalid, Refused
from console.pages.shares import limit
from rollouts.actions.share import opened, revoke_share, share
from rollouts.models import Rollout, ShareLink
from tests.console.pages.markup import markup
from tests.console.pages.rollbacks.rows import make_course, make_way_back
from tests.make.configs import make_config
from tests.make.people import make_user, sign_in
from tests.make.rollouts import make_rollout

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_limit() -> Iterator[None]:
    """Begin and end without anybody counted: Redis outlives a test."""
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def rollout() -> Rollout:
    found = make_way_back(back=20, running=False)
    make_course(found)
    return found


def made(rollout: Rollout, life: timedelta = timedelta(hours=1)) -> tuple[ShareLink, str]:
    actor = Actor.of(make_user("sharer", "operator"))
    return share(rollout_id=rollout.pk, by=actor, life=life)


def test_the_page_is_read_without_an_account(rollout: Rollout) -> None:
    _link, secret = made(rollout)
    answer = Client().get(f"/shared/{secret}/")
    text = markup(answer)
    assert answer.status_code == 200
    assert "Caught in 3 s, returned in 4 s." in text
    assert "What v3 changed" in text
    assert "Rollback decided: 20 agents return." in text


def test_it_is_kept_out_of_caches_indexes_and_referrers(rollout: Rollout) -> None:
    _link, secret = made(rollout)
    answer = Client().get(f"/shared/{secret}/")
    assert "no-store" in answer["Cache-Control"]
    assert answer["Referrer-Policy"] == "no-referrer"
    assert "noindex" in answer["X-Robots-Tag"]
    assert not answer.cookies


def test_no_other_page_is_reached_from_it(rollout: Rollout) -> None:
    _link, secret = made(rollout)
    text = Client().get(f"/shared/{secret}/").content.decode()
    links = re.findall(r'<a [^>]*href="([^"]*)"', text)
    assert [link for link in links if not link.startswith("#")] == []
    assert "hx-" not in text
    assert "ws-connect" not in text


def test_a_secret_in_the_config_is_masked(rollout: Rollout) -> None:
    for number, word in ((2, "hunter-two-old"), (3, "hunter-three-new")):
        version = rollout.config.versions.get(number=number)
        body = f"exporters:\n  otlp:\n    headers:\n      authorization: Bearer {word}12345\n"
        ConfigBody.objects.filter(pk=version.config_hash).update(body=body.encode())
    _link, secret = made(rollout)
    text = markup(Client().get(f"/shared/{secret}/"))
    assert "hunter" not in text
    assert text.count("redacted:") >= 2, "two secrets that differ still look different"


@pytest.mark.parametrize("how", ["unknown", "expired", "revoked", "maker lost the role"])
def test_what_does_not_open_is_one_answer(rollout: Rollout, how: str) -> None:
    link, secret = made(rollout)
    if how == "unknown":
        secret = secret[:-1] + ("a" if secret[-1] != "a" else "b")
    elif how == "expired":
        ShareLink.objects.update(expires_at=timezone.now())
    elif how == "revoked":
        revoke_share(link_id=link.pk, by=Actor.of(User.objects.get(username="sharer")))
    else:
        RoleBinding.objects.filter(user__username="sharer").delete()
    answer = Client().get(f"/shared/{secret}/")
    assert answer.status_code == 404
    assert "This link opens nothing." in markup(answer)
    assert rollout.number not in markup(answer)


def test_an_address_that_asks_too_often_waits(rollout: Rollout) -> None:
    _link, secret = made(rollout)
    client = Client()
    for _ in range(limit.IN_VAIN + 1):
        assert client.get("/shared/tg_s_guess/").status_code == 404
    answer = client.get(f"/shared/{secret}/")
    assert (answer.status_code, answer["Retry-After"]) == (429, "60")


def test_only_the_hash_of_the_secret_is_kept(rollout: Rollout) -> None:
    link, secret = made(rollout)
    row = " ".join(map(str, ShareLink.objects.values_list().get(pk=link.pk)))
    assert secret not in row
    assert secret[12:] not in row


@pytest.mark.parametrize("formatter", [TextFormatter(), JsonFormatter()])
def test_a_secret_does_not_get_into_a_log(formatter: logging.Formatter) -> None:
    secret = "tg_s_" + "x" * 43
    record = logging.makeLogRecord({"msg": f"Not Found: /shared/{secret}/"})
    assert secret not in formatter.format(record)


def test_making_and_revoking_are_audited(rollout: Rollout) -> None:
    link, secret = made(rollout)
    revoke_share(link_id=link.pk, by=Actor.of(User.objects.get(username="sharer")))
    rows = list(AuditEvent.objects.filter(act__startswith="share.").order_by("pk"))
    assert [row.act for row in rows] == ["share.created", "share.revoked"]
    assert all(secret not in str(row.details) for row in rows)


def test_it_says_when_it_was_opened_last(rollout: Rollout) -> None:
    link, secret = made(rollout)
    now = timezone.now()
    assert opened(secret, now) is not None
    opened(secret, now + timedelta(seconds=5))
    link.refresh_from_db()
    assert link.last_used_at == now, "at most one write a minute"


def test_a_viewer_makes_none(rollout: Rollout) -> None:
    with pytest.raises(Denied):
        share(rollout_id=rollout.pk, by=Actor.of(make_user("vera", "viewer")))


@pytest.mark.parametrize("life", [timedelta(0), timedelta(days=31)])
def test_it_opens_for_a_while_and_no_longer_than_30_days(rollout: Rollout, life: timedelta) -> None:
    with pytest.raises(Invalid, match="30 days"):
        made(rollout, life)


def test_a_draft_has_nothing_to_show() -> None:
    draft = make_rollout(make_config("edge", 1)[0], state="draft", phases=("pending",) * 3)
    with pytest.raises(Refused, match="never started"):
        made(draft)


def test_the_page_of_links_shows_a_new_one_once(rollout: Rollout) -> None:
    client = sign_in("op", "operator")
    url = f"/rollouts/{rollout.pk}/share/"
    text = markup(client.post(url, {"life": "24h", "note": "#incident-7"}))
    found = re.search(r"/shared/(tg_s_[\w-]{43})/", text)
    assert found is not None
    assert Client().get(f"/shared/{found[1]}/").status_code == 200
    later = markup(client.get(url))
    assert found[1] not in later
    assert "#incident-7" in later


def test_the_page_of_links_revokes(rollout: Rollout) -> None:
    link, secret = made(rollout)
    client = sign_in("op", "operator")
    url = f"/rollouts/{rollout.pk}/share/"
    assert client.post(url, {"act": "revoke", "id": link.pk}).status_code == 303
    assert Client().get(f"/shared/{secret}/").status_code == 404


def test_a_viewer_sees_the_links_and_makes_none(rollout: Rollout) -> None:
    client = sign_in("vera", "viewer")
    url = f"/rollouts/{rollout.pk}/share/"
    assert "disabled" in markup(client.get(url))
    assert client.post(url, {"life": "24h"}).status_code == 403
    assert not ShareLink.objects.exists()
