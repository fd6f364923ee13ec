"""Codes to scan: an address as an SVG drawing or a PNG picture."""

from __future__ import annotations

import io
from typing import Any

import segno

FORMATS = ("svg", "png")


def qr(address: str, kind: str = "svg", *, scale: int = 8) -> bytes:
    """Return the QR code of an address, `scale` pixels for each of its squares.

    A seventh of it may be dirty and it is read still; the white margin belongs to it.
    """
    made: Any = segno.make(address, error="m", micro=False, boost_error=True)
    out = io.BytesIO()
    made.save(out, kind=kind, scale=scale, border=4)
    return out.getvalue()
