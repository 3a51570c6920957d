"""A signature as it travels: in the API, to an agent, into `tidegate-verify`. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TypedDict

from agents.signing.signature import BadKey, read_public_key, signed_bytes, verifies


class SignatureDocument(TypedDict):
    """What is said of a signature; "" where there is none yet."""

    config_hash: str
    signature: str
    key_id: str
    manifest: str
    manifest_signature: str
    manifest_key_id: str


@dataclass(frozen=True, slots=True)
class Signed:
    """What is known of the signature of a body, by one row. All texts; "" where there is none yet."""

    config_hash: str
    signature: str
    key_id: str
    public_pem: str
    manifest: str = ""
    manifest_signature: str = ""
    manifest_key_id: str = ""

    def holds(self) -> bool:
        """Tell whether the signature was made over this hash by that key."""
        return _holds(self.config_hash, self.signature, self.public_pem)

    def document(self) -> SignatureDocument:
        """Return it as the API and the custom message say it."""
        return {
            "config_hash": self.config_hash,
            "signature": self.signature,
            "key_id": self.key_id,
            "manifest": self.manifest,
            "manifest_signature": self.manifest_signature,
            "manifest_key_id": self.manifest_key_id,
        }


@lru_cache(maxsize=4096)
def _holds(config_hash: str, signature: str, public_pem: str) -> bool:
    try:
        key = read_public_key(public_pem)
    except BadKey:
        return False
    return verifies(key, signature, signed_bytes(config_hash))
