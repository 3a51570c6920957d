"""HEAD wherever GET is answered: the same status and headers, no body (RFC 9110, section 9.3.2).

One rule in one place: a view is asked as by GET and need not know of HEAD, so no view can forget it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase


class HeadMiddleware:
    """Answer HEAD with the head of what GET answers. Stands outside everything that makes headers."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.method != "HEAD":
            return self.get_response(request)
        request.method = "GET"
        answer = self.get_response(request)
        if isinstance(answer, StreamingHttpResponse):
            # Its rows are read only while they are sent, so they never are.
            answer.streaming_content = _nothing() if answer.is_async else iter(())
        elif isinstance(answer, HttpResponse):
            answer["Content-Length"] = str(len(answer.content))
            answer.content = b""
        return answer


async def _nothing() -> AsyncIterator[bytes]:
    nothing: tuple[bytes, ...] = ()
    for part in nothing:
        yield part
