"""Content codings and Retry-After of plain HTTP (opamp-protocol.md 2.2; GO-28 to GO-31). Pure."""

from __future__ import annotations

import asyncio
import random
import zlib
from collections.abc import AsyncIterator, Callable, Iterable

# As much as is unpacked without letting others have their turn: some milliseconds.
PIECE_BYTES = 1024 * 1024


class BodyTooLarge(Exception):
    """The body is over the limit, before or after decompression."""


class BadEncoding(Exception):
    """The body is not what its Content-Encoding says."""


def _as_it_is(_size: int) -> None:
    """Room is not counted."""


def accepts_gzip(headers: Iterable[str]) -> bool:
    """Tell whether Accept-Encoding lists gzip, or `*` without a gzip of its own, with q above 0."""
    weights: dict[str, float] = {}
    for token in ",".join(headers).split(","):
        name, *parameters = (part.strip() for part in token.split(";"))
        if name:
            weights.setdefault(name.lower(), _weight(parameters))
    return weights.get("gzip", weights.get("*", 0.0)) > 0


def _weight(parameters: list[str]) -> float:
    """Return the first q; 1 when there is none, 0 when it cannot be read or is out of range."""
    for parameter in parameters:
        key, equals, value = parameter.partition("=")
        if equals and key.strip().lower() == "q":
            try:
                weight = float(value.strip())
            except ValueError:
                return 0.0
            return weight if 0.0 <= weight <= 1.0 else 0.0
    return 1.0


async def inflate(
    chunks: AsyncIterator[bytes], limit: int, grow: Callable[[int], None] = _as_it_is
) -> bytes:
    """Return a gzip body unpacked. Stops one byte past the limit: a bomb is never unpacked.

    A chunk may unpack to a thousand times its size, so it is done in pieces and others are served
    between them. `grow` is told how many bytes there are so far. Raises TooLarge, BadEncoding.
    """
    inflater = zlib.decompressobj(16 + zlib.MAX_WBITS)
    found, total = [], 0
    try:
        async for chunk in chunks:
            packed = chunk
            while packed:
                piece = inflater.decompress(packed, min(PIECE_BYTES, limit + 1 - total))
                total += len(piece)
                if total > limit:
                    raise BodyTooLarge
                grow(total)
                found.append(piece)
                packed = inflater.unconsumed_tail
                if packed:
                    await asyncio.sleep(0)
            if inflater.eof and inflater.unused_data:
                raise BadEncoding("there is more after the end of the gzip body")
    except zlib.error as error:
        raise BadEncoding(str(error)) from error
    if found and not inflater.eof:
        raise BadEncoding("the gzip body ends in the middle")
    return b"".join(found)


async def collect(
    chunks: AsyncIterator[bytes], limit: int, grow: Callable[[int], None] = _as_it_is
) -> bytes:
    """Return a plain body; `grow` is told its size so far. Raises TooLarge at once past the limit."""
    found, total = [], 0
    async for chunk in chunks:
        total += len(chunk)
        if total > limit:
            raise BodyTooLarge
        grow(total)
        found.append(chunk)
    return b"".join(found)


def gzip(data: bytes) -> bytes:
    """Return the data as a gzip body."""
    deflater = zlib.compressobj(1, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    return deflater.compress(data) + deflater.flush()


def retry_after(seconds: float) -> str:
    """Return a Retry-After value with 30 % jitter, so that not all come back at once; never
    below 30 s (OP-14)."""
    return str(max(30, round(seconds * random.uniform(1.0, 1.3))))  # noqa: S311  spread, not secret
