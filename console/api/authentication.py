"""Who asks: a person's API token (`Authorization: Bearer tg_u_...`), security.md R39.

Sessions are the second way in; their writes carry the CSRF token in the header X-CSRFToken. A
request with a Bearer header is judged by that alone: a wrong token is never saved by a cookie.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils import timezone
from drf_spectacular.authentication import SessionScheme
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, CSRFCheck, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.request import Request

from accounts.models import ApiToken, User
from accounts.models.token import PREFIX, digest
from console.lib import logs
from console.lib.texts import text as say

_LONGEST_SECRET = 200
_USE_IS_RECORDED_EVERY = timedelta(minutes=1)


class TokenAuthentication(BaseAuthentication):
    """Accept an API token that is known, not revoked, not expired, of an active person."""

    def authenticate_header(self, request: Request) -> str:
        """Return the challenge that makes an unauthenticated answer a 401."""
        return 'Bearer realm="tidegate"'

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        """Return the owner and the token; None when the request carries no Bearer credential.

        Raises AuthenticationFailed with the codes of security.md section 9.
        """
        scheme, _, secret = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        token = _find(secret.strip())
        now = timezone.now()
        if token.revoked_at is None and now >= token.expires_at:
            raise AuthenticationFailed(
                str(say("api.token_expired", on=f"{token.expires_at:%Y-%m-%d}")),
                code="token_expired",
            )
        if not token.is_valid(now) or not token.owner.is_active:
            raise _invalid()
        _record_use(token)
        return token.owner, token


class HeaderCsrfSession(SessionAuthentication):
    """A session whose CSRF token is in the header, never in the body.

    Django looks for the token in the form first, and DRF hands it the parsed body: under the
    content type of a form (`curl -d`, `--data-binary`) that is a config's bytes, or a JSON list.
    """

    def enforce_csrf(self, request: Request) -> None:
        """Raise PermissionDenied unless the header holds the token of the cookie."""
        seen = cast(HttpRequest, _WithoutForm(request))
        check = CSRFCheck(lambda _: HttpResponse())
        check.process_request(seen)
        if reason := check.process_view(seen, lambda _: HttpResponse(), (), {}):
            raise PermissionDenied(str(say("api.csrf_failed", why=reason)))


class _WithoutForm:
    """A request as it is, but for its form, which is empty and left unread."""

    POST = QueryDict()

    def __init__(self, request: Request) -> None:
        self._request = request

    def __getattr__(self, name: str) -> Any:
        return getattr(self._request, name)


def _find(secret: str) -> ApiToken:
    if not secret.startswith(PREFIX) or len(secret) > _LONGEST_SECRET:
        raise _invalid()
    # A header may hold bytes that are no UTF-8; such a secret was never issued.
    known = digest(secret.encode(errors="replace").decode())
    token = ApiToken.objects.select_related("owner").filter(digest=known).first()
    if token is None:
        raise _invalid()
    return token


def _invalid() -> AuthenticationFailed:
    return AuthenticationFailed(
        str(say("api.token_unknown")),
        code="credential_invalid",
    )


def _record_use(token: ApiToken) -> None:
    """Note the last use and its address, at most once a minute per token."""
    now = timezone.now()
    if token.last_used_at is not None and now - token.last_used_at < _USE_IS_RECORDED_EVERY:
        return
    address = logs.current("address")
    ApiToken.objects.filter(pk=token.pk).update(
        last_used_at=now, last_used_address=str(address) if address else None
    )


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the OpenAPI document describes tokens."""

    target_class = TokenAuthentication
    name = "token"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "An API token of a person: `tg_u_...`.",
        }


class HeaderCsrfSessionScheme(SessionScheme):  # type: ignore[no-untyped-call]
    """Sessions in the OpenAPI document are the framework's own."""

    target_class = "console.api.authentication.HeaderCsrfSession"
