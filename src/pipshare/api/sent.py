"""Read what was sent, whole: not more than fits, and nothing that ended on the way."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from pipshare.api.problems import Problem
from pipshare.web.sender import sender_of

__all__ = ["MOST_BYTES", "read_body", "sender_of"]
MOST_BYTES = 16 * 1024 * 1024
_DRAINED = 4 * MOST_BYTES  # so much more is thrown away, for the answer to be read
_PIECE = 256 * 1024


def read_body(request: HttpRequest, most: int = MOST_BYTES) -> None:
    """Read the body of a request into it, chunked ones too.

    Raises Problem 413 for a body of more than `most` bytes, 400 for one that ended early: what came
    of it may well be valid, but it is not what was sent.
    """
    if hasattr(request, "_body") or request.method in ("GET", "HEAD"):
        return
    stream, told = request.environ["wsgi.input"], request.META
    # Not request.headers, which is made of all of them first.
    length = str(told.get("CONTENT_LENGTH") or "")
    is_chunked = "chunked" in told.get("HTTP_TRANSFER_ENCODING", "").lower()
    wanted = None if is_chunked else int(length) if length.isdecimal() else 0
    if wanted is not None and wanted > most:
        _drain(stream, wanted)
        raise _too_large(most)
    found = _read(stream, most + 1 if wanted is None else wanted)
    if wanted is None and len(found) > most:
        _drain(stream, _DRAINED)
        raise _too_large(most)
    if wanted is not None and len(found) < wanted:
        raise _cut(f"{len(found)} of {wanted} bytes came")
    request._body = found  # what Django keeps of a body read


def _read(stream: Any, most: int) -> bytes:
    pieces, left = [], most
    while left > 0:
        try:
            piece = stream.read(min(_PIECE, left))
        except Exception as error:  # the server's own: of chunks that are none, or a connection
            raise _cut(str(error) or type(error).__name__) from None
        if not piece:
            break
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)


def _drain(stream: Any, most: int) -> None:
    left = min(most, _DRAINED)
    while left > 0 and (piece := stream.read(min(_PIECE, left))):
        left -= len(piece)


def _too_large(most: int) -> Problem:
    words = f"{most // 1024**2} MiB" if most % 1024**2 == 0 else f"{most:,} bytes"
    return Problem(413, "too_large", f"A body has at most {words}: send less at once.")


def _cut(why: str) -> Problem:
    return Problem(400, "cut_short", f"The body ended before its end ({why}): nothing of it was"
                                     " taken; send it again.")  # fmt: skip
