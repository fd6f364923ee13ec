"""How a mapping picks one text: by an expression, a constant, what the door knows, or all these.

A Pick is evaluated against a Scene, one item of a payload. It yields a text, "" for nothing; it
raises Fault when what was found cannot be used, and Skip when the mapping says to leave it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from pipshare.crm.expressions import Expression
from pipshare.errors import BadInput

SHOWN = 40  # characters of a value that an error shows: enough to see, little of a person
LONGEST = 1_000  # characters of a text
MOST_BYTES = 2_000  # of it in UTF-8: what is longer fits into no index of codes and ids
ERROR, SKIP, EMPTY, KEEP = OTHERWISE = ("error", "skip", "empty", "keep")
GIVEN = {
    "received": "when the payload arrived, by our clock",
    "delivery": "the id of the delivery: header webhook-id, or the door's own number",
}
# The tag that affiliate software puts on links: a524-b12-p1, maybe with -f and -c behind.
TAG = re.compile(
    r"a(?P<a>[0-9]+)-b(?P<b>[0-9]+)-p(?P<p>[0-9]+)(?:-f(?P<f>.*?))?(?:-c(?P<c>[^-]*))?",
    re.IGNORECASE | re.DOTALL,
)
TAG_PARTS = ("a", "b", "p", "f", "c")
_BAD_TEXT = re.compile("[\x00\ud800-\udfff]")


class Fault(Exception):
    """Something found cannot be used: a code for programs and a sentence."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code, self.sentence = code, sentence


class Skip(Exception):
    """The mapping says that this item tells nothing; `str` of it is why."""


@dataclass(frozen=True)
class Scene:
    """What picks look at: an item, the payload around it, and what the door knows."""

    item: Any
    root: Any
    given: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Pick:
    """One way to a text. Of `inside`, `around`, `constant`, `given`, `joined` one is set.

    Then, in this order: `part` of a tag, the text `before` a separator, `case` (upper, lower), and
    `words`, an enumeration by case-folded text; `otherwise` says what a text that is not in it, or
    has no such part, becomes.
    """

    inside: Expression | None = None
    around: Expression | None = None
    constant: str | None = None
    given: str | None = None
    joined: tuple[Pick, ...] = ()
    part: str | None = None
    before: str | None = None
    case: str | None = None
    words: Mapping[str, str] | None = None
    otherwise: str = ERROR

    @property
    def written(self) -> str:
        """Return the expression as errors show it."""
        if self.joined:
            return " + ".join(one.written for one in self.joined)
        found = self.inside or self.around
        if found is not None:
            return found.text
        return repr(self.constant) if self.constant is not None else f"given {self.given}"

    def is_there(self, scene: Scene) -> bool:
        """Tell whether the payload has anything here, a list or an object included."""
        if self.joined or (self.inside or self.around) is None:
            return bool(self.text(scene))
        found = self._find(scene)
        return not (found is None or found == [] or found == {} or found == "")

    def text(self, scene: Scene, whole: bool = False) -> str:
        """Return the text, "" for nothing. Raises Fault and Skip.

        `whole`: it is an id or a word, so a number that is found has to be a whole one.
        """
        if self.joined:
            texts = [(one, one.text(scene, whole)) for one in self.joined]
            # A prefix alone would be an id that everybody shares.
            if any(not text for one, text in texts if one.constant is None):
                return ""
            return self._turned("".join(text for _, text in texts))
        if self.constant is not None:
            return self.constant
        if self.given is not None:
            return self._turned(scene.given.get(self.given, ""))
        found = self._find(scene)
        if found is None:  # most fields of most payloads are not there
            return ""
        if whole and isinstance(found, Decimal):
            raise Fault(
                "bad_number",
                f"found {shown(str(found))}: a number here has to be"
                " whole and written plainly, such as 4711; what is none is sent as a text",
            )
        return self._turned(text_of(found))

    def _find(self, scene: Scene) -> Any:
        try:
            if self.inside is not None:
                return self.inside.find(scene.item)
            assert self.around is not None
            return self.around.find(scene.root)
        except BadInput as error:
            raise Fault(error.code, error.message) from None

    def _turned(self, text: str) -> str:
        if text and self.part is not None:
            found = TAG.fullmatch(text)
            if found is None or not found[self.part]:
                return self._other(
                    text,
                    "bad_tag",
                    f"the tag has no part {self.part}: a tag is"
                    " written a524-b12-p1, maybe with -f... and -c... behind",
                )
            text = found[self.part]
        if self.before is not None:
            text = text.partition(self.before)[0].strip()
        if self.case is not None:
            text = text.upper() if self.case == "upper" else text.lower()
        if text and self.words is not None:
            known = self.words.get(text.casefold())
            if known is None:
                return self._other(
                    text,
                    "unknown_word",
                    'it is not in the "map" of this field: add'
                    ' it there, or say with "otherwise" what becomes of it',
                )
            text = known
        return text

    def _other(self, text: str, code: str, sentence: str) -> str:
        if self.otherwise == SKIP:
            raise Skip(f"{self.written} is {shown(text)}")
        if self.otherwise == ERROR:
            raise Fault(code, f"found {shown(text)}: {sentence}")
        return text if self.otherwise == KEEP else ""


def text_of(value: Any) -> str:
    """Return one value of a payload as text, its digits as they stand. Raises Fault for others."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | Decimal):
        return str(value)
    if not isinstance(value, str):
        raise Fault("not_one_value", f"found {kind_of_value(value)}, not one value: write the path"
                                     " down to the value")  # fmt: skip
    text = value.strip()
    if len(text) > LONGEST:
        raise Fault("too_long", f"found a text of {len(text)} characters; at most {LONGEST}")
    if _BAD_TEXT.search(text):
        raise Fault("bad_text", "found a text with a zero byte or half a character in it")
    if not text.isascii() and (size := len(text.encode())) > MOST_BYTES:
        raise Fault("too_long", f"found a text of {size} bytes in UTF-8; at most {MOST_BYTES}")
    return text


def kind_of_value(value: Any) -> str:
    """Say what a value is, without its content."""
    if isinstance(value, dict):
        return f"an object of {len(value)} fields"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if value is None:
        return "nothing"
    return "a text" if isinstance(value, str) else "a number"


def shown(text: str) -> str:
    """Return a text as an error shows it: cut, and readable."""
    cut = text if len(text) <= SHOWN else text[: SHOWN - 3] + "..."
    return repr(cut)
