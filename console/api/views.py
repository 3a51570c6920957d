"""What every API route shares: who asks, whether they may, and how it is answered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, cast

from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.permissions import AllowAny
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from accounts import policy
from accounts.actor import Actor
from accounts.models import ApiToken, User
from agents.selectors.errors import SelectorError
from console.lib.problems import FieldError, Invalid, Missing


class OneForm(BaseContentNegotiation):
    """Answer JSON whatever `Accept` says: curl, browsers and scripts all read it."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser:
        return next(iter(parsers))

    def select_renderer(
        self,
        request: Request,
        renderers: Iterable[BaseRenderer],
        format_suffix: str | None = None,
    ) -> tuple[BaseRenderer, str]:
        first = next(iter(renderers))
        return first, first.media_type or ""


class ApiView(APIView):
    """A route. `verbs` names, per method, the permission of `accounts.policy` it needs; a method
    without a verb is a mistake of ours and fails."""

    verbs: ClassVar[dict[str, str]] = {}
    content_negotiation_class = OneForm
    renderer_classes = [JSONRenderer]
    http_method_names = ["get", "post", "put", "patch", "delete", "head"]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Authenticate, then ask the policy, before the route reads anything."""
        super().initial(request, *args, **kwargs)
        method = "GET" if request.method == "HEAD" else str(request.method)
        if method in self.allowed_methods:
            policy.require(self.actor, self.verbs[method])

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Keep answers out of every cache, except where the route says otherwise."""
        response.setdefault("Cache-Control", "no-store")
        return super().finalize_response(request, response, *args, **kwargs)

    @property
    def actor(self) -> Actor:
        """Who asks. Acts by a token carry its name, so that approving is refused (R39)."""
        user = cast(User, self.request.user)  # `initial` has let nobody else in
        token = self.request.auth
        return Actor.of(user, token_name=token.name if isinstance(token, ApiToken) else "")

    def read(self, serializer: type[Serializer[Any]]) -> dict[str, Any]:
        """Return the validated JSON body. Raises Invalid with one error per wrong place."""
        reader = serializer(data=self.request.data)
        reader.is_valid(raise_exception=True)
        found: dict[str, Any] = reader.validated_data
        return found


@contextmanager
def named_in_body(**fields: str) -> Iterator[None]:
    """Answer 422, not 404, when what is missing was named in the body: the address is right.

    `fields` are the body's names of what an act calls otherwise: `named_in_body(to="to_version")`.
    """
    try:
        yield
    except SelectorError:
        raise  # points at the character already
    except (Missing, Invalid) as problem:
        errors = [FieldError(fields.get(e.path, e.path), e.message) for e in problem.errors]
        named = errors or [FieldError(path, problem.detail) for path in fields.values()]
        raise Invalid(problem.detail, code=problem.code, errors=named) from problem


def raw(request: Request) -> bytes:
    """Return the exact bytes of the body of a route that parses with RawParser."""
    body: object = request.data
    return body if isinstance(body, bytes) else b""


class Nowhere(APIView):
    """Any other address under the API: a problem, not a web page."""

    permission_classes = [AllowAny]
    authentication_classes = []
    schema = None
    content_negotiation_class = OneForm

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Answer every method alike: there is nothing here."""
        if request.path.endswith("/"):
            raise Missing("api.no_slash")
        raise Missing("api.nothing_here")
