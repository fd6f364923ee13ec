"""The forms of the portal: an application, and the acceptance of agreements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms

from pipshare.market import Entity
from pipshare.partners import Agreement, Applicant
from pipshare.portal.countries import COUNTRIES

TRAP = "fax"  # people do not see it; programs fill in whatever there is
_CURRENCIES = ("USD", "EUR", "GBP", "USDT")
_AGREE = "agree_"


def _text(
    label: str, most: int, *, help: str = "", required: bool = True, **attrs: str
) -> forms.CharField:
    widget = forms.TextInput(attrs=attrs)
    return forms.CharField(label=label, max_length=most, required=required, help_text=help,
                           widget=widget)  # fmt: skip


class Agreeing(forms.Form):
    """A form with a box to tick for each agreement."""

    def __init__(self, *args: Any, agreements: Sequence[Agreement], **given: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", **given})
        self.agreements = agreements
        for one in agreements:
            self.fields[_AGREE + one.code] = forms.BooleanField(
                label=f"I have read and accept: {one.title}, version {one.version}",
                error_messages={"required": "Without this we cannot work together."},
            )

    def agreeing(self) -> list[tuple[Agreement, Any]]:
        """Return each agreement with its box."""
        return [(one, self[_AGREE + one.code]) for one in self.agreements]

    def others(self) -> list[Any]:
        """Return the fields that a person fills in."""
        return [field for field in self.visible_fields()
                if field.name != TRAP and not field.name.startswith(_AGREE)]  # fmt: skip


class AcceptForm(Agreeing):
    """Agreements that are new since somebody applied."""

    name = _text("Your name", 200, help="Who accepts, for himself or for his company.",
                 autocomplete="name")  # fmt: skip


class ApplyForm(Agreeing):
    """An application to become a partner."""

    name = _text("Your name", 200, autocomplete="name")
    email = forms.EmailField(label="E-mail", max_length=200, widget=forms.EmailInput(
        attrs={"autocomplete": "email", "inputmode": "email"}))  # fmt: skip
    company = _text("Company", 200, required=False, autocomplete="organization")
    country = forms.ChoiceField(label="Country", choices=[("", "Choose one"), *COUNTRIES],
                                widget=forms.Select(attrs={"autocomplete": "country"}))  # fmt: skip
    phone = _text("Telephone", 50, required=False, autocomplete="tel", inputmode="tel")
    website = _text("Website or channel", 200, required=False, inputmode="url",
                    placeholder="https://", autocomplete="url")  # fmt: skip
    currency = forms.ChoiceField(label="You are paid in")
    parent = _text("Who invited you", 64, required=False, autocomplete="off", spellcheck="false",
                   help="The code of the partner who told you of us, if one did.")  # fmt: skip
    about = forms.CharField(
        label="How will you bring clients?", required=False, max_length=2_000,
        widget=forms.Textarea(attrs={"rows": "4"}),
        help_text="Your audience, your country, what you did before.",
    )  # fmt: skip
    fax = forms.CharField(label="Leave this empty", required=False, max_length=400,
                          widget=forms.TextInput(attrs={"tabindex": "-1",
                                                        "autocomplete": "off"}))  # fmt: skip

    def __init__(self, *args: Any, entity: Entity, **given: Any) -> None:
        super().__init__(*args, **given)
        known = dict.fromkeys((entity.currency, *_CURRENCIES))
        self.fields["currency"].choices = [(one, one) for one in known]

    def applicant(self, address: str, agent: str) -> Applicant:
        """Return who applies, of a valid form."""
        told = self.cleaned_data
        return Applicant(
            told["name"], told["email"], told["company"], told["country"], told["phone"],
            told["website"], told["about"], address, agent,
        )  # fmt: skip
