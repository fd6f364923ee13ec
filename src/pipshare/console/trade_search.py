"""The form that looks for trades, and the key of a page in an address."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
from django import forms

from pipshare.console.words import STANDINGS, reasons, short
from pipshare.market import Server
from pipshare.period import Clock, to_ms
from pipshare.statements.search import After, Asked

_BIG = 2**63 - 1
_AFTER = re.compile(r"(-?\d{1,19})_(-?\d{1,10})_(-?\d{1,19})")
_STATES = [("", "Any"), ("closed", "Closed"), ("cancelled", "Cancelled"), ("revised", "Revised")]
_WHEN = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d"]


class TradeSearch(forms.Form):
    """What is looked for. Moments are in the clock of the server chosen, else the broker's."""

    number = forms.IntegerField(
        label="Ticket or position", required=False, min_value=-_BIG, max_value=_BIG,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )  # fmt: skip
    login = forms.IntegerField(
        label="Login", required=False, min_value=-_BIG, max_value=_BIG,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )  # fmt: skip
    symbol = forms.CharField(
        label="Symbol begins with", required=False, max_length=64,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )  # fmt: skip
    server = forms.ChoiceField(label="Server", required=False)
    standing = forms.ChoiceField(
        label="How it stands", required=False, choices=[("", "Any"), *STANDINGS.items()]
    )
    reason = forms.ChoiceField(
        label="Waits for", required=False,
        choices=[("", "Anything"), *((reason, short(reason)) for reason in reasons())],
    )  # fmt: skip
    state = forms.ChoiceField(label="State", required=False, choices=_STATES)
    since = forms.DateTimeField(
        label="Closed from", required=False, input_formats=_WHEN,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )  # fmt: skip
    until = forms.DateTimeField(
        label="Closed before", required=False, input_formats=_WHEN,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )  # fmt: skip

    def __init__(self, given: Mapping[str, Any], servers: Sequence[Server], clock: Clock) -> None:
        super().__init__(given, label_suffix="")
        self._servers = {str(server.id): server for server in servers}
        self._clock = clock
        self.fields["server"].choices = [
            ("", "Any"), *((str(server.id), server.code) for server in servers)
        ]  # fmt: skip

    def asked(self) -> Asked:
        """Return the question of a valid form."""
        told = self.cleaned_data
        return Asked(
            number=told["number"],
            login=told["login"],
            server_id=int(told["server"]) if told["server"] else None,
            symbol=told["symbol"].strip(),
            state=told["state"],
            standing=told["standing"],
            reason=told["reason"],
            from_ms=self._utc(told["since"]),
            to_ms=self._utc(told["until"]),
        )

    def is_narrow(self) -> bool:
        """Whether anything is asked for at all."""
        return self.is_valid() and any(self.cleaned_data.values())

    def clock_text(self) -> str:
        """Name the clock in which the moments are meant."""
        server = self._chosen()
        return f"{server.clocks[-1][1]}, the clock of {server.code}" if server else f"{self._clock}"

    def _chosen(self) -> Server | None:
        return self._servers.get(str(self.data.get("server", "")))

    def _utc(self, moment: datetime | None) -> int | None:
        if moment is None:
            return None
        wall = np.array([to_ms(moment.replace(tzinfo=UTC))], np.int64)
        server = self._chosen()
        return int((server.to_utc(wall) if server else self._clock.to_utc(wall))[0])


def after_text(after: After) -> str:
    """Write where a page ended as a word of an address."""
    return f"{after.close_ms}_{after.server_id}_{after.ticket}"


def read_after(text: str) -> After | None:
    """Read it back; anything else is the first page."""
    found = _AFTER.fullmatch(text)
    if not found:
        return None
    close_ms, server, ticket = map(int, found.groups())
    return After(min(max(close_ms, 0), 2**42), min(max(server, -1), 2**31 - 1),
                 min(max(ticket, -_BIG), _BIG))  # fmt: skip
