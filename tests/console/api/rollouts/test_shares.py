"""Share links over REST and at the shell."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.test import Client

from rollouts.models import Rollout, ShareLink
from tests.console.api.contract import assert_as_documented
from tests.console.api.people import Reply, by_token
from tests.console.pages.rollbacks.rows import make_way_back

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_limit() -> None:
    cache.clear()


@pytest.fixture
def rollout() -> Rollout:
    return make_way_back(back=2, met=2, never=2, running=False)


def make(rollout: Rollout, role: str = "operator", **body: str) -> Reply:
    url = f"/api/v1/rollouts/{rollout.pk}/share-links"
    return by_token(role).post(url, body, content_type="application/json")


def opens(url: str) -> int:
    return Client().get("/shared/" + url.split("/shared/", 1)[1]).status_code


def test_a_link_is_made_listed_and_revoked(rollout: Rollout) -> None:
    answer = make(rollout, expires_in="24h", note="#incident-7")
    found = assert_as_documented("share_links_create", answer)
    assert opens(found["url"]) == 200
    listed = by_token("viewer").get(f"/api/v1/rollouts/{rollout.pk}/share-links")
    rows = assert_as_documented("share_links_list", listed)["share_links"]
    assert [row["note"] for row in rows] == ["#incident-7"]
    secret = found["url"].split("/")[-2]
    assert secret not in listed.getvalue().decode()
    revoked = by_token("operator").delete(f"/api/v1/share-links/{found['id']}")
    assert assert_as_documented("share_links_revoke", revoked)["revoked_by"]
    assert opens(found["url"]) == 404


@pytest.mark.parametrize("read", ["31d", "1s", "soon", "7"])
def test_a_wrong_time_is_named(rollout: Rollout, read: str) -> None:
    answer = make(rollout, expires_in=read)
    assert answer.status_code == 422
    assert [error["path"] for error in answer.json()["errors"]] == ["expires_in"]


def test_a_viewer_makes_and_revokes_none(rollout: Rollout) -> None:
    assert make(rollout, role="viewer").status_code == 403
    made = make(rollout).json()
    assert by_token("viewer").delete(f"/api/v1/share-links/{made['id']}").status_code == 403
    assert opens(made["url"]) == 200


def test_an_unknown_link_is_missing() -> None:
    assert by_token("operator").delete("/api/v1/share-links/9").status_code == 404


def shell(*words: str) -> str:
    out = StringIO()
    call_command("share", *words, stdout=out)
    return out.getvalue().strip()


def test_the_shell_makes_lists_and_revokes(rollout: Rollout) -> None:
    url = shell("make", str(rollout.pk), "--for", "1h", "--note", "#incident-7")
    assert opens(url) == 200
    assert "opens" in shell("list", str(rollout.pk))
    shell("revoke", str(ShareLink.objects.get().pk))
    assert opens(url) == 404
    assert "revoked" in shell("list", str(rollout.pk))


def test_the_shell_says_what_is_wrong(rollout: Rollout) -> None:
    with pytest.raises(CommandError, match="--for soon"):
        shell("make", str(rollout.pk), "--for", "soon")
