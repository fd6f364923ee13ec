"""The form of a receiver: what a person writes down, and the settings that it stands for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms

from pipshare.console.asked import Form, lines, text, words
from pipshare.console.receiver_preview import POSTBACK, WEBHOOK
from pipshare.errors import BadInput, PipshareError
from pipshare.outbox.match import wants_type
from pipshare.outbox.receiver_settings import CONCURRENCY, TIMEOUT_S
from pipshare.tracking.catalogue import EVENTS, TYPES
from pipshare.tracking.presets import Preset

_BLANK = re.compile(r"<([^<>]+)>")
_ABOUT = re.compile(r"the receiver's (\w+) is")
_PLACES = (("the URL", "url"), ("the body", "body"), ("filled in, the body", "body"),
           ("the header", "headers"), ("the value of header", "headers"))  # fmt: skip
_NUMBER = {"inputmode": "numeric"}


class ReceiverForm(Form):
    """A receiver. `preset` fills in what a tracker's help page says; `is_new` asks whose it is."""

    FAULTS: ClassVar = {
        **dict.fromkeys(("bad_name", "receiver_exists"), "name"),
        **dict.fromkeys(("no_partner", "ambiguous"), "partner"),
        **dict.fromkeys(("bad_url", "no_scheme", "no_host", "macro_in_host", "user_in_url",
                         "fragment", "open_preset"), "url"),
        "no_entity": "entity", "bad_method": "method", "bad_body": "body", "bad_json": "body",
        "bad_header": "headers",
    }  # fmt: skip
    name = text("Name", help="As you call it: Voluum of IB-110. Unique in the entity.")
    entity = forms.ChoiceField(label="Entity")
    partner = text("Partner", required=False, help="His code: he hears of his own clients and"
                   " of what he earned. Empty: it is the broker's own, and hears all.")  # fmt: skip
    url = lines("URL", required=True, rows=3, help="Macros stand in braces, as {sub1} {payout}"
                " {txid}: the catalogue of events lists them.")  # fmt: skip
    method = forms.ChoiceField(label="Method", choices=[("GET", "GET"), ("POST", "POST")])
    body = lines("Body", help="For POST; with macros, too. Empty: everything is in the URL.")
    body_type = forms.ChoiceField(
        label="Body is", choices=[("form", "a form"), ("json", "JSON")], required=False
    )
    events = forms.MultipleChoiceField(
        label="Events", required=False, widget=forms.CheckboxSelectMultiple,
        help_text="None chosen: all of them, also those that come later.",
    )  # fmt: skip
    countries = text("Only clients of", required=False, placeholder="DE, AT",
                     help="Two-letter countries. Who has none told passes.")  # fmt: skip
    not_countries = text("No clients of", required=False, placeholder="US")
    minimum = lines("Amounts from", rows=2, help="One a line, as 100 USD. What has no amount, or"
                    " one in another currency, passes.")  # fmt: skip
    headers = lines("Headers", rows=2, help="One a line, as X-Source: ib. No secrets here: those"
                    " are set on the receiver's page, and stored sealed.")  # fmt: skip
    concurrency = text(
        "Requests at a time", required=False, placeholder=str(CONCURRENCY), **_NUMBER
    )
    per_minute = text("Requests a minute", required=False, placeholder="no limit", **_NUMBER)
    timeout_s = text("Seconds for an answer", required=False, placeholder=str(TIMEOUT_S), **_NUMBER)
    owner_email = text("Mail when it is switched off", required=False, inputmode="email",
                       placeholder="tracking@partner.example")  # fmt: skip
    paused = forms.BooleanField(label="Collect, but send nothing until it is resumed",
                                required=False)  # fmt: skip

    def __init__(
        self, *args: Any, kind: str, preset: Preset | None = None, is_new: bool = True, **given: Any
    ) -> None:
        super().__init__(*args, **given)
        self.kind, self.is_postback = kind, kind == POSTBACK
        self.blanks = _BLANK.findall(preset.url) if preset and is_new else []
        for number, word in enumerate(self.blanks):
            written = "url" in self.data and f"<{word}>" not in self.data["url"]  # by hand
            self.fields[f"blank{number}"] = text(word[:1].upper() + word[1:], required=not written,
                                                 help="As his tracker shows it.")  # fmt: skip
        self._choose_events()
        if kind == WEBHOOK:
            del self.fields["method"], self.fields["body"], self.fields["body_type"]
            del self.fields["paused"]
            self.fields["url"].help_text = "Where your system takes webhooks, with https://."
        elif self.is_postback:
            self._ask_words()
        if not is_new:
            for name in ("name", "entity", "partner", "paused"):
                self.fields.pop(name, None)

    def _choose_events(self) -> None:
        kinds = [kind for kind, said in TYPES.items()
                 if kind != "test" and (said.event or not self.is_postback)]  # fmt: skip
        self.fields["events"].choices = [
            (kind, f"{_event(kind) if self.is_postback else kind}: {TYPES[kind].about}")
            for kind in kinds
        ]

    def _ask_words(self) -> None:
        for event in EVENTS:
            name = event.replace("_", " ")
            self.fields[f"word_{event}"] = text(f"{{event}} of {name}", required=False,
                                                placeholder=event)  # fmt: skip
            self.fields[f"status_{event}"] = text(f"{{status}} of {name}", required=False)

    def groups(self) -> list[tuple[str, bool, list[Any]]]:
        """Return the form's parts: title, whether it may stay folded, fields."""
        parts: list[tuple[str, bool, list[str]]] = [
            ("Who", False, ["name", "entity", "partner"]),
            ("Where to", False, [*(f"blank{n}" for n in range(len(self.blanks))), "url"]),
            ("Method and body", True, ["method", "body", "body_type"]),
            ("What it hears", False, ["events", "countries", "not_countries", "minimum"]),
            ("The tracker's words", True, [f"{what}_{event}" for event in EVENTS
                                           for what in ("word", "status")]),
            ("Limits and headers", True, ["concurrency", "per_minute", "timeout_s", "headers",
                                          "owner_email", "paused"]),
        ]  # fmt: skip
        return self.parted(parts)

    def parted(self, parts: list[tuple[str, bool, list[str]]]) -> list[tuple[str, bool, list[Any]]]:
        """Return the parts that have fields; one with a fault in it is not folded."""
        found = []
        for title, folds, names in parts:
            fields = [self[name] for name in names
                      if name in self.fields and not self[name].is_hidden]  # fmt: skip
            is_folded = folds and not any(field.errors for field in fields)
            if fields:
                found.append((title, is_folded, fields))
        return found

    def settings(self, before: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return the settings of a valid form over those from before. Raises BadInput."""
        told = self.cleaned_data
        mine = {
            "url": self._url(), "events": told["events"], "countries": _codes(told["countries"]),
            "not_countries": _codes(told["not_countries"]),
            "minimum": dict(map(_minimum, filter(str.strip, told["minimum"].splitlines()))),
            "headers": dict(map(_header, filter(str.strip, told["headers"].splitlines()))),
            **{name: told[name].strip()
               for name in ("concurrency", "per_minute", "timeout_s", "owner_email")},
        }  # fmt: skip
        if self.is_postback:
            mine |= {"method": told["method"], "body": told["body"].strip(),
                     "body_type": told["body_type"] if told["body"].strip() else "",
                     "event_names": self._words("word"),
                     "statuses": self._words("status")}  # fmt: skip
        return {key: value for key, value in {**(before or {}), **mine}.items() if value}

    def field_of(self, error: PipshareError) -> str | None:
        """Return the field that an error names by its code, or by its words."""
        if found := _ABOUT.match(error.message):
            return found[1]
        for words_, field in _PLACES:
            if error.message.startswith(words_):
                return field
        return super().field_of(error)

    def _url(self) -> str:
        told = self.cleaned_data
        values = {word: told[f"blank{n}"].strip() for n, word in enumerate(self.blanks)}
        url = "".join(told["url"].split())
        url = _BLANK.sub(lambda found: values.get(found[1]) or found[0], _joined(url, self.blanks))
        if open_ := _BLANK.findall(url):
            missing = ", ".join(open_)
            raise BadInput("open_preset", f"the URL still has {missing} to be filled in: the"
                                          " tracker shows it")  # fmt: skip
        return url

    def _words(self, what: str) -> dict[str, str]:
        told = {event: self.cleaned_data[f"{what}_{event}"].strip() for event in EVENTS}
        return {event: word for event, word in told.items() if word}


def initial_of(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return a form's beginning from a receiver's settings."""
    wanted = settings.get("events", [])
    begun = {
        "url": settings.get("url", ""), "method": settings.get("method", "GET"),
        "body": settings.get("body", ""), "body_type": settings.get("body_type", "form"),
        "events": [kind for kind in TYPES if wants_type(wanted, kind)] if wanted else [],
        "countries": ", ".join(settings.get("countries", ())),
        "not_countries": ", ".join(settings.get("not_countries", ())),
        "minimum": "\n".join(f"{amount} {currency}" for currency, amount
                             in settings.get("minimum", {}).items()),
        "headers": "\n".join(f"{n}: {v}" for n, v in settings.get("headers", {}).items()),
        **{name: settings.get(name, "")
           for name in ("concurrency", "per_minute", "timeout_s", "owner_email")},
    }  # fmt: skip
    for key, what in (("event_names", "word"), ("statuses", "status")):
        begun |= {f"{what}_{event}": word for event, word in settings.get(key, {}).items()}
    return begun


def _event(kind: str) -> str:
    return TYPES[kind].event.replace("_", " ")


def _joined(url: str, blanks: list[str]) -> str:
    """Give the blanks of a template their spaces back, which an address does not have."""
    for word in blanks:
        url = url.replace(f"<{''.join(word.split())}>", f"<{word}>")
    return url


def _codes(value: str) -> list[str]:
    return [word.upper() for word in words(value)]


def _minimum(line: str) -> tuple[str, str]:
    amount, _, currency = line.strip().partition(" ")
    return currency.strip().upper(), amount


def _header(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name.strip(), value.strip()
