from __future__ import annotations

from datetime import datetime
from typing import Annotated, TypedDict

from console.api.shapes.answer import HashText, said
from console.api.shapes.base import REASON_LENGTH, Body, Text


class Signature(TypedDict):
    config_hash: HashText
    signature: Annotated[
        str, said("base64; RSA PKCS#1 v1.5, SHA-256, over the 64 characters of the hash")
    ]
    key_id: str
    manifest: Annotated[str, said("the text that `manifest_signature` was made over; JSON")]
    manifest_signature: str
    manifest_key_id: str


class Key(TypedDict):
    key_id: str
    name: str
    public_key: Annotated[str, said("PEM")]
    is_ours: Annotated[bool, said("the key of our signer; else one whose signatures are uploaded")]
    added_at: datetime
    added_by: str
    bad_at: datetime | None
    bad_by: str
    bad_why: str
    versions: Annotated[int, said("how many versions carry a signature by it")]


class KeyList(TypedDict):
    keys: list[Key]


class MarkedBad(TypedDict):
    key: Key
    versions: Annotated[
        int, said("how many versions lost their signature; the signer signs them again")
    ]


class NewKey(Body):
    name = Text(max_length=100)
    public_key = Text(max_length=8192)


class BadKey(Body):
    reason = Text(max_length=REASON_LENGTH)
