"""Forms of the console, and what the core refuses beside the field that it is about."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from pipshare.errors import BadInput, Conflict, Missing, PipshareError
from pipshare.market import Entity

_OURS = (BadInput, Conflict, Missing)
LONG = 400  # characters of a field that nothing else limits


class Form(forms.Form):
    """A form with labels as they are written. FAULTS names the field that a code is about."""

    FAULTS: ClassVar[Mapping[str, str]] = {}

    def __init__(self, *args: Any, **given: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", **given})

    def refuse(self, error: PipshareError) -> None:
        """Put what the core refused beside its field, else above the form."""
        field = self.field_of(error)
        self.add_error(field if field in self.fields else None, sentence(error))

    def field_of(self, error: PipshareError) -> str | None:
        """Return the name of the field that an error is about, None for the form as a whole."""
        return self.FAULTS.get(error.code)

    def attempt(self, act: Callable[[], Any]) -> bool:
        """Do what a valid form asks for; false, with the fault in the form, when it is refused."""
        try:
            act()
        except _OURS as error:
            self.refuse(error)
            return False
        return True


def sentence(error: PipshareError) -> str:
    """Write what the core refused as a sentence of its own."""
    said = error.message[:1].upper() + error.message[1:]
    return said if said.endswith((".", "?", "!")) else f"{said}."


def text(label: str, *, help: str = "", required: bool = True, **attrs: Any) -> forms.CharField:
    """Return a field for a line of text that no browser corrects or completes."""
    given = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "off", **attrs}
    return forms.CharField(label=label, required=required, help_text=help, max_length=LONG,
                           widget=forms.TextInput(attrs=given))  # fmt: skip


def lines(
    label: str, *, help: str = "", required: bool = False, rows: int = 3, most: int = 10_000
) -> forms.CharField:
    """Return a field for several lines of text."""
    attrs = {"rows": rows, "spellcheck": "false", "autocomplete": "off", "autocapitalize": "off"}
    return forms.CharField(label=label, required=required, help_text=help, max_length=most,
                           widget=forms.Textarea(attrs=attrs))  # fmt: skip


def words(value: str) -> list[str]:
    """Return the words of a field that takes several, however they are parted."""
    return value.replace(",", " ").replace(";", " ").split()


def entity_field(form: forms.Form, entities: Mapping[int, Entity], name: str = "entity") -> None:
    """Fill the choice of an entity; where there is one only, nobody is asked."""
    field = form.fields[name]
    known = sorted(entities.values(), key=lambda one: one.id)
    field.choices = [(one.code, one.code) for one in known]
    if len(known) == 1:
        field.required = False
        field.widget = forms.HiddenInput()
        form.initial.setdefault(name, known[0].code)


def chosen_entity(entities: Mapping[int, Entity], code: str) -> Entity:
    """Return the entity chosen by its code. Raises BadInput where none is, and several are."""
    found = [one for one in entities.values() if one.code == code]
    if not found and len(entities) == 1:
        found = list(entities.values())
    if not found:
        raise BadInput("no_entity", "choose an entity")
    return found[0]


def form_page(
    request: HttpRequest, form: forms.Form, *, title: str, crumbs: Sequence[tuple[str, str]],
    action: str, back: str, lead: str = "", danger: bool = False, **more: Any,
) -> HttpResponse:  # fmt: skip
    """Show a page that is one form: `action` names its button, `back` is where Cancel leads."""
    known = {"form": form, "title": title, "crumbs": crumbs, "action": action, "back": back,
             "lead": lead, "danger": danger, **more}  # fmt: skip
    return render(request, "console/form.html", known)


def who(request: HttpRequest) -> str:
    """Return who changes something, as the audit trail names him."""
    user: Any = request.user
    return str(user.email)


def may(request: HttpRequest, permission: str) -> bool:
    """Whether who looks at a page may also do something that it offers."""
    user: Any = request.user
    return bool(user.may(permission))
