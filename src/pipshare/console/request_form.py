"""The form of a receiver of mapped requests: a system that is called in its own way."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms

from pipshare.console.asked import lines, text
from pipshare.console.receiver_form import ReceiverForm, initial_of
from pipshare.console.receiver_preview import REQUEST
from pipshare.errors import BadInput, PipshareError
from pipshare.pipeline.said.mapped import METHODS

_PLACES = (("answer_id", "answer_id"), ("answer_error", "answer_error"), ("by_type", "by_type"),
           ("body", "body"), ("method", "method"))  # fmt: skip


class RequestForm(ReceiverForm):
    """A system that is called in its own way. What is the same as of other receivers is theirs."""

    FAULTS: ClassVar = {**ReceiverForm.FAULTS, "bad_by_type": "by_type", "unknown_macro": "body"}
    answer_id = text("Its own id", required=False, placeholder="data.id",
                     help="Where the id stands in its answer, as an expression. It is kept, and is"
                     " {crm_id} in what follows. Empty: it answers with none.")  # fmt: skip
    answer_error = text("Why it refuses", required=False,
                        placeholder="success == `false` && message",
                        help="What finds the reason in an answer of 200 that is none. Reasons in"
                        " answers of 400, 409 and 422 are found by themselves.")  # fmt: skip
    source = text("It tells us things as", required=False, help="Code of its endpoint here: what it"
                  " said itself is not told back.")  # fmt: skip
    by_type = lines("Types told in another way", rows=6, help='JSON: {"ib.tier_changed": {"method":'
                    ' "PATCH", "url": "https://…/{crm_id}", "body": {"tier": "{tier}"}}}.'
                    " What is left out is as above.")  # fmt: skip

    def __init__(self, *args: Any, **given: Any) -> None:
        super().__init__(*args, **{**given, "kind": REQUEST})
        self.fields["method"] = forms.ChoiceField(
            label="Method", choices=[(one, one) for one in METHODS if one != "GET"] + [("GET",) * 2]
        )
        self.fields["url"].help_text = (
            "With https://. Its path and query may have fields of the message in braces, as"
            " {application} and {crm_id}."
        )
        body = self.fields["body"]
        body.widget.attrs["rows"] = 8
        body.help_text = (
            "JSON. Texts may have {fields}; a text that begins with = is an expression over the"
            ' message: {"name": "{name}", "mail": "=data.email"}.'
        )
        self.fields["events"].help_text = "What its requests are for."
        self.fields["events"].required = True

    def groups(self) -> list[tuple[str, bool, list[Any]]]:
        """Return the form's parts: title, whether it may stay folded, fields."""
        parts: list[tuple[str, bool, list[str]]] = [
            ("Who", False, ["name", "entity", "partner"]),
            ("The call", False, ["method", "url", "body"]),
            ("Its answer", False, ["answer_id", "answer_error"]),
            ("What it hears", False, ["events", "source"]),
            ("Types told in another way", True, ["by_type"]),
            ("Filters, limits and headers", True, [
                "countries", "not_countries", "minimum", "concurrency", "per_minute", "timeout_s",
                "headers", "owner_email", "paused"]),
        ]  # fmt: skip
        return self.parted(parts)

    def settings(self, before: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return the settings of a valid form over those from before. Raises BadInput."""
        told = self.cleaned_data
        mine = {name: told[name].strip() for name in ("answer_id", "answer_error", "source")}
        mine |= {"method": told["method"], "body": told["body"].strip(), "by_type": self._by_type()}
        return {key: value for key, value in {**super().settings(before), **mine}.items() if value}

    def field_of(self, error: PipshareError) -> str | None:
        """Return the field that an error names by its words, or by its code."""
        if " of ib." in error.message.partition(":")[0] or " of ib." in error.message[:60]:
            return "by_type"
        for word, field in _PLACES:
            if error.message.startswith(word):
                return field
        return super().field_of(error)

    def _by_type(self) -> Any:
        written = self.cleaned_data["by_type"].strip()
        try:
            return json.loads(written) if written else {}
        except ValueError as error:
            raise BadInput("bad_by_type", f"by_type: it is not valid JSON: {error}") from None


def begun(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return a form's beginning from a receiver's settings."""
    by_type, body = settings.get("by_type"), settings.get("body", "")
    return {
        **initial_of(settings), "method": settings.get("method", "POST"),
        **{name: settings.get(name, "") for name in ("answer_id", "answer_error", "source")},
        "by_type": json.dumps(by_type, indent=2, ensure_ascii=False) if by_type else "",
        "body": body if isinstance(body, str) else json.dumps(body, indent=2, ensure_ascii=False),
    }  # fmt: skip
