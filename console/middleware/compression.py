"""Answers are sent compressed, and what an attacker could learn from their length is nothing.

BREACH guesses a secret by its compressed length: it needs a secret that stays the same from answer to
answer, beside text that the attacker chooses, in one body. What our bodies hold is kept to this rule:

- The CSRF token is the only secret of a session in a page. Django masks it anew for every answer, so no
  two answers have the same bytes to guess. The nonce of the policy is drawn for each answer too.
- Session keys, passwords, API and enrolment tokens stand in no body; what is shown once (a new
  credential) is the answer to a POST, whose body repeats nothing of an address.
- Up to 100 random bytes in the head of each answer (Django's `max_random_bytes`) blur the length.
- Answers of the API to a bearer token cannot be provoked by another site at all.

A body that is sent while it is made stays as it is: compressed piece by piece it would be larger, and
what a reader waits for (events, exports) must leave at once. Files under `/static/` are compressed
when they are collected. A new page that shows a lasting secret must not echo its query.
"""

from __future__ import annotations

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware

SPARED = ("image/", "font/", "application/gzip", "application/zip", "application/octet-stream")


class CompressionMiddleware(GZipMiddleware):
    """Compress whole answers of text. Streams, files and what is packed already are left alone."""

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        kind = response.headers.get("Content-Type", "")
        if response.streaming or kind.startswith(SPARED):
            return response
        return super().process_response(request, response)
