"""What a postback to each tracker is made of, by the trackers' public help pages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_DECIMAL = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")


@dataclass(frozen=True)
class Dialect:
    """Names of a tracker's parameters; "" = it has none. `statuses`: the ones it knows, empty =
    any. `also` are further names that it takes."""

    name: str
    click: str
    amount: str
    status: str = ""
    txid: str = ""
    currency: str = ""
    statuses: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()


DIALECTS = {
    "voluum": Dialect("Voluum", "cid", "payout", "et", "txid", "currency"),
    "keitaro": Dialect("Keitaro", "subid", "payout", "status", "tid", "currency",
                       ("lead", "sale", "rejected")),
    "binom": Dialect("Binom", "cnv_id", "payout", "cnv_status", "", "cnv_currency",
                     also=tuple(f"event{n}" for n in range(1, 31))),
    "redtrack": Dialect("RedTrack", "clickid", "sum", "type"),
    "everflow": Dialect("Everflow", "transaction_id", "amount", "event",
                        also=("nid", "adv1", "adv2", "adv3", "adv4", "adv5"), needs=("nid",)),
    "tune": Dialect("TUNE (HasOffers)", "transaction_id", "amount", "goal"),
    "affise": Dialect("Affise", "clickid", "sum", "status", "action_id", "",
                      ("1", "2", "3", "5"), also=("goal",)),
    "scaleo": Dialect("Scaleo", "click_id", "payout", "goal_alias"),
}  # fmt: skip


def read(dialect: Dialect, told: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Return what a postback says in plain words, and what is wrong with it."""
    names = {"click": dialect.click, "amount": dialect.amount, "currency": dialect.currency,
             "status": dialect.status, "txid": dialect.txid}  # fmt: skip
    said = {what: told.get(name, "") for what, name in names.items() if name}
    wrong = [f"{name} is missing" for name in (dialect.click, *dialect.needs) if not told.get(name)]
    if said["amount"] and not _DECIMAL.fullmatch(said["amount"]):
        wrong.append(f"{dialect.amount} is {said['amount']!r}, no decimal number")
    status = said.get("status", "")
    if dialect.statuses and status not in dialect.statuses:
        wrong.append(f"{dialect.status} is {status!r}; known: {', '.join(dialect.statuses)}")
    known = {*names.values(), *dialect.also, "fail"}
    wrong += [f"{name} is unknown to {dialect.name}" for name in told if name not in known]
    return said, wrong
