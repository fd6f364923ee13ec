"""Reads [component.qualify] and [programme.qualify]: when a client counts."""

from __future__ import annotations

from fractions import Fraction

from pipshare.plans.keys import GATE, QUALIFY
from pipshare.plans.qualifying import Gate, Qualify
from pipshare.plans.read import need, read
from pipshare.plans.table import Table

MONEY = ("first_deposit", "net_deposits", "spread", "commission", "revenue")
CONDITIONS = (*MONEY, "lots", "orders", "active_days", "kyc")


def read_qualify(table: Table, title: str, currency: str, *, sums: bool = False) -> Qualify | None:
    """Return the table `qualify` of a table; None when it is absent.

    `sums`: the first deposit counts for something else, too, so that its hours may stand alone.
    """
    inner = table.table("qualify", title)
    if inner is None:
        return None
    given = read(inner, QUALIFY)
    if any(key in given for key in MONEY):
        if not currency and "currency" not in inner.data:
            inner.refuse("currency", f"{title} has amounts and no currency: write it here or in "
                                     '[programme], currency = "USD"')  # fmt: skip
        given.setdefault("currency", currency)
    asks = [key for key in CONDITIONS if key in inner.data]
    if not asks and given.get("who", "own") != "crm" and "who" not in inner.data:
        inner.refuse("qualify", f"{title} asks nothing: write a condition, for example "
                                'first_deposit = "100", or who = "crm"')  # fmt: skip
    elif not asks and given.get("who") in ("own", "both"):
        inner.refuse("who", f"{title} asks nothing of our own: write a condition, or who = "
                            '"crm"')  # fmt: skip
    if asks and given.get("who") == "crm":
        inner.refuse("who", f"who = \"crm\" takes the CRM's word alone: remove {asks[0]}, or write "
                            'who = "both"')  # fmt: skip
    if "sum_hours" in given and "first_deposit" not in inner.data and not sums:
        inner.refuse("sum_hours", "sum_hours belongs to first_deposit, which is not here")
    if "calendar" in given and "within_days" not in inner.data:
        inner.refuse("calendar", "calendar belongs to within_days, which is not here")
    if "keep_days" in given and not {"net_deposits", "first_deposit"} & inner.data.keys():
        inner.refuse("keep_days", "keep_days says how long net_deposits or first_deposit has to "
                                  "stay deposited, and neither is here: write one, or remove "
                                  "keep_days")  # fmt: skip
    gate = inner.table("gate", f"{title[:-1]}.gate]")
    if gate is not None:
        values = read(gate, GATE)
        need(gate, values, ("conversion",), 'a gate needs a conversion: conversion = "5%"')
        given["gate"] = Gate(values.get("conversion", Fraction(0)))
    return Qualify(line=inner.line, **given)
