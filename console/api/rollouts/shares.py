"""`share-links`: links to how a rollout went, to read without an account. Made, listed, revoked.

Making one takes no `Idempotency-Key`: what is kept to be answered again would keep its secret.
"""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from console.api import params
from console.api.idempotency import once
from console.api.links import shared as address_of
from console.api.rollouts.views import rollout_of
from console.api.shapes import shares as shapes
from console.api.shapes.answer import Answer
from console.api.views import ApiView
from console.lib.durations import BadValue, parse_duration
from console.lib.problems import Invalid
from rollouts.actions.share import USUAL, revoke_share, share
from rollouts.models import ShareLink

SHOWN = 100


class ShareLinks(ApiView):
    verbs = {"GET": "rollouts.view", "POST": "rollouts.share"}

    @extend_schema(operation_id="share_links_list", responses=shapes.ShareLinkList)
    def get(self, request: Request, pk: int) -> Answer[shapes.ShareLinkList]:
        """The links of a rollout, newest first."""
        links = ShareLink.objects.filter(rollout=rollout_of(self, pk))[:SHOWN]
        return Answer({"share_links": [link_row(link) for link in links]})

    @extend_schema(
        operation_id="share_links_create",
        request=shapes.NewShareLink,
        responses={201: shapes.MadeShareLink},
    )
    def post(self, request: Request, pk: int) -> Answer[shapes.MadeShareLink]:
        """Make a link by which anybody reads timeline, evidence and changed lines of this rollout, and
        nothing else. `url` is answered this once."""
        body = self.read(shapes.NewShareLink)
        try:
            life = parse_duration(body["expires_in"]) if body.get("expires_in") else USUAL
        except BadValue as bad:
            raise Invalid.at("expires_in", bad.says) from bad
        rollout = rollout_of(self, pk)
        link, secret = share(
            rollout_id=rollout.pk, by=self.actor, life=life, note=body.get("note", "")
        )
        return Answer({**link_row(link), "url": address_of(secret)}, status=201)


class ShareLinkDetail(ApiView):
    verbs = {"DELETE": "rollouts.share"}

    @extend_schema(
        operation_id="share_links_revoke",
        parameters=[params.IDEMPOTENCY_KEY],
        responses=shapes.ShareLink,
    )
    @once
    def delete(self, request: Request, pk: int) -> Answer[shapes.ShareLink]:
        """Revoke a link: from then on it opens nothing. Revoking it again changes nothing."""
        return Answer(link_row(revoke_share(link_id=pk, by=self.actor)))


def link_row(link: ShareLink) -> shapes.ShareLink:
    """Return one link without its secret, which is not kept."""
    return {
        "id": link.pk,
        "rollout": link.rollout_id,
        "begins": link.shown_prefix,
        "note": link.note,
        "created_by": link.created_by_name,
        "created_at": link.created_at,
        "expires_at": link.expires_at,
        "revoked_at": link.revoked_at,
        "revoked_by": link.revoked_by_name,
        "last_opened_at": link.last_used_at,
    }
