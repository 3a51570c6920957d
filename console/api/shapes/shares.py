from __future__ import annotations

from datetime import datetime
from typing import Annotated, TypedDict

from console.api.shapes.answer import Url, said
from console.api.shapes.base import Body, Text


class NewShareLink(Body):
    expires_in = Text(
        required=False, max_length=20, help_text='e.g. "24h"; 7d when not given, at most 30d'
    )
    note = Text(required=False, allow_blank=True, max_length=200, help_text="for whom it is")


class ShareLink(TypedDict):
    """A link to how a rollout went; its secret is not kept."""

    id: int
    rollout: int
    begins: Annotated[str, said("the first characters of its secret")]
    note: str
    created_by: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    revoked_by: str
    last_opened_at: datetime | None


class MadeShareLink(ShareLink):
    url: Annotated[Url, said("never available again")]


class ShareLinkList(TypedDict):
    share_links: Annotated[list[ShareLink], said("newest first, at most 100")]
