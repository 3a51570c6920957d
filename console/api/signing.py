"""Signatures of config versions and the keys that make them (security.md section 5)."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Q
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_GET
from drf_spectacular.utils import extend_schema
from jwt.algorithms import RSAAlgorithm
from rest_framework.request import Request

from agents.actions.signing import mark_key_bad, trust_key
from agents.models import SignedVersion, SigningKey
from agents.signing.signature import read_public_key
from console.api import params
from console.api.hashes import hash_of
from console.api.idempotency import once
from console.api.shapes import signing as shapes
from console.api.shapes.answer import Answer
from console.api.views import ApiView
from console.lib.problems import Missing


class Signature(ApiView):
    verbs = {"GET": "configs.view"}

    @extend_schema(operation_id="configs_signature", responses=shapes.Signature)
    def get(self, request: Request, config_hash: str) -> Answer[shapes.Signature]:
        """The newest valid signature of a body, with the manifest that says which version it is:
        what `tidegate-verify` reads."""
        wanted = hash_of(config_hash)
        rows = SignedVersion.objects.good().filter(body_id=wanted).select_related("key")
        for row in rows.order_by("-signed_at", "-pk"):
            signed = row.signed()
            if signed.holds():
                return Answer(signed.document())
        raise Missing("signing.no_signature", hash=wanted)


class KeyList(ApiView):
    verbs = {"GET": "configs.view", "POST": "signing_keys.write"}

    @extend_schema(operation_id="signing_keys_list", responses=shapes.KeyList)
    def get(self, request: Request) -> Answer[shapes.KeyList]:
        """Every key whose signatures are or were believed, newest first."""
        return Answer({"keys": [_row(key) for key in _keys().order_by("-added_at")]})

    @extend_schema(
        operation_id="signing_keys_add",
        parameters=[params.IDEMPOTENCY_KEY],
        request=shapes.NewKey,
        responses={201: shapes.Key},
    )
    @once
    def post(self, request: Request) -> Answer[shapes.Key]:
        """Believe signatures by somebody else's public key: versions may be uploaded with one."""
        body = self.read(shapes.NewKey)
        key = trust_key(pem=body["public_key"], name=body["name"], by=self.actor)
        return Answer(_row(_keys().get(pk=key.pk)), status=201)


class KeyBad(ApiView):
    verbs = {"POST": "signing_keys.write"}

    @extend_schema(
        operation_id="signing_keys_mark_bad",
        parameters=[params.IDEMPOTENCY_KEY],
        request=shapes.BadKey,
        responses=shapes.MarkedBad,
    )
    @once
    def post(self, request: Request, key_id: str) -> Answer[shapes.MarkedBad]:
        """Stop believing a key that may be in other hands. What it signed is signed again by the
        signer; until then such versions count as not signed."""
        reason = self.read(shapes.BadKey)["reason"]
        lost = mark_key_bad(kid=key_id, reason=reason, by=self.actor)
        return Answer({"key": _row(_keys().get(pk=key_id)), "versions": lost})


@require_GET
def published_keys(request: HttpRequest) -> JsonResponse:
    """The public keys that verify configs, for anyone: as JWKS, each with its PEM beside it."""
    keys = SigningKey.objects.filter(bad_at=None).order_by("-added_at")
    response = JsonResponse({"keys": [_jwk(key) for key in keys]})
    response["Cache-Control"] = "public, max-age=300"
    return response


def _jwk(key: SigningKey) -> dict[str, Any]:
    jwk = RSAAlgorithm.to_jwk(read_public_key(key.public_pem), as_dict=True)
    return {**jwk, "use": "sig", "alg": "RS256", "kid": key.key_id, "pem": key.public_pem}


def _keys() -> Any:
    return SigningKey.objects.annotate(versions=Count("signed", filter=~Q(signed__signature="")))


def _row(key: Any) -> shapes.Key:
    return {
        "key_id": key.key_id,
        "name": key.name,
        "public_key": key.public_pem,
        "is_ours": key.is_ours,
        "added_at": key.added_at,
        "added_by": key.added_by,
        "bad_at": key.bad_at,
        "bad_by": key.bad_by,
        "bad_why": key.bad_why,
        "versions": key.versions,
    }
