"""The rooms in the menu: each surface adds its own; people see those that their role opens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.urls import reverse


@dataclass(frozen=True)
class Room:
    """A line of the menu: its words, the name of its URL, and who may enter."""

    label: str
    url_name: str
    permission: str


@dataclass(frozen=True)
class Entry:
    """A line of the menu as one page shows it."""

    label: str
    url: str
    is_here: bool


_rooms: list[Room] = []


def add(label: str, url_name: str, permission: str) -> None:
    """Put a room into the menu, after those added before. Adding it again changes nothing."""
    room = Room(label, url_name, permission)
    if room not in _rooms:
        _rooms.append(room)


def menu(user: Any, path: str) -> list[Entry]:
    """Return the menu of `user` on the page at `path`: the entry with the longest fit is here."""
    if not getattr(user, "is_authenticated", False):
        return []
    open_to = [(room.label, reverse(room.url_name)) for room in _rooms if user.may(room.permission)]
    here = max((url for _, url in open_to if _leads_to(url, path)), key=len, default="")
    return [Entry(label, url, url == here) for label, url in open_to]


def _leads_to(url: str, path: str) -> bool:
    return path == url or (url != "/" and path.startswith(url))


def first(user: Any) -> str | None:
    """Return the URL of the first room open to `user`, where a sign-in leads."""
    entries = menu(user, "")
    return entries[0].url if entries else None
