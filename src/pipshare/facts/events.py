"""Events of a client's life: registration, money in and out and back, KYC, who he is and whose.

One flat record each, in the field names of facts.fields ("events"). `checked` turns what
facts.reading read into EVENT columns, the one form in which stages and `rate` pass events on, and
refuses what cannot be; the same rules stand as one JSON Schema per kind in facts/schemas.
An event's identity is (source, event); a reversal or chargeback names by `reference` the event of
the same source that it takes back, which may come later or never.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches

import polars as pl

from pipshare.facts.lookup import refuse
from pipshare.facts.values import Refusal

# One event. Amounts are 1e-8 of `currency` and positive: the kind says which way money went.
EVENT: dict[str, pl.DataType | type[pl.DataType]] = {
    "source": pl.String,
    "event": pl.String,
    "kind": pl.String,  # a name of KINDS
    "entity": pl.String,
    "client": pl.String,  # code; "" = the owner of the account
    "at_ms": pl.Int64,  # UTC
    "amount_e8": pl.Int64,  # 0 = not told: all of what `reference` names
    "currency": pl.String,
    "reference": pl.String,
    "server": pl.String,
    "login": pl.Int64,  # 0 = no account
    "country": pl.String,
    "balance_e8": pl.Int64,
    "credit_e8": pl.Int64,
    "equity_e8": pl.Int64,
    "cleared_ms": pl.Int64,  # UTC; at_ms where not told
    "method": pl.String,
    "document": pl.String,
    "expires_ms": pl.Int64,  # UTC; 0 = does not expire
    "version": pl.Int64,
    "other_client": pl.String,  # code
    "partner": pl.String,  # code; "direct" = nobody's client
    "reason": pl.String,
    "effective_ms": pl.Int64,  # UTC; 0 = at_ms
    "line": pl.Int32,
}
# The sender's way to write a record apart from its meaning.
UNCOUNTED = ("line",)
# Came after events were stored: what an event says has them only where it tells them, so that
# events told before are still known by what they say.
LATER = ("other_client", "partner", "reason", "effective_ms")


@dataclass(frozen=True)
class EventKind:
    """What an event of a kind says, the fields that it needs and those that it may have.

    Every event needs event, kind, at, and its client or account (server and login); any may have
    entity, source and version.
    """

    about: str
    needs: tuple[str, ...] = ()
    may: tuple[str, ...] = ()


_MONEY = ("amount", "currency")
_ACCOUNT = ("server", "login")
_CHECKED = ("country", "document", "status")
KINDS: dict[str, EventKind] = {
    "registration": EventKind("the client registered", ("client",), ("country",)),
    "deposit": EventKind("a deposit was approved", _MONEY, ("cleared_at", "method")),
    "deposit_reversed": EventKind(
        "a deposit was taken back, all of it without an amount", ("reference",),
        (*_MONEY, "method"),
    ),
    "withdrawal": EventKind("a withdrawal was approved", _MONEY, ("method",)),
    "withdrawal_reversed": EventKind(
        "a withdrawal failed, was cancelled or came back, all of it without an amount",
        ("reference",), (*_MONEY, "method"),
    ),
    "chargeback_opened": EventKind(
        "a deposit is disputed", ("reference",), (*_MONEY, "method")
    ),
    "chargeback_lost": EventKind(
        "the dispute is lost: the deposit's money is gone", ("reference",),
        (*_MONEY, "method"),
    ),
    "chargeback_won": EventKind(
        "the dispute is won: the money stays with the broker", ("reference",),
        (*_MONEY, "method"),
    ),
    "kyc_approved": EventKind("KYC approved", (), (*_CHECKED, "expires_at")),
    "kyc_rejected": EventKind("KYC rejected", (), _CHECKED),
    "kyc_expired": EventKind("KYC expired", (), _CHECKED),
    "kyc_withdrawn": EventKind("KYC approval withdrawn", (), _CHECKED),
    "bonus": EventKind("a bonus was credited", _MONEY),
    "bonus_removed": EventKind("a bonus was removed", _MONEY, ("reference",)),
    "compensation": EventKind("the broker made up for a balance below zero", _MONEY),
    "payment_fee": EventKind(
        "what a payment cost the broker", _MONEY, ("reference", "method")
    ),
    "account_snapshot": EventKind(
        "an account's balance, credit and equity at a moment", (*_ACCOUNT, "credit", "equity"),
        ("balance", "currency"),
    ),
    "qualified": EventKind("the CRM says that the client qualifies"),
    "unqualified": EventKind("the CRM says that the client does not qualify (any more)"),
    "client_duplicate": EventKind(
        "the client is somebody who was a client before: he does not qualify", ("client",),
        ("other_client", "reason"),
    ),
    "client_not_duplicate": EventKind(
        "the client is no duplicate (any more)", ("client",), ("reason",)
    ),
    "client_merged": EventKind(
        "the client is the same person as the other one, whose his accounts and events become",
        ("client", "other_client"), ("reason",),
    ),
    "client_unmerged": EventKind(
        "the client is a person of his own (again)", ("client",), ("reason",)
    ),
    "client_reassigned": EventKind(
        "the client is to become another partner's, or nobody's: proposed to two people",
        ("client", "partner"), ("effective_at", "reason"),
    ),
    "client_reassignment_cancelled": EventKind(
        "a re-assignment is not to be: what is still proposed of it is withdrawn",
        ("client", "reference"), ("reason",),
    ),
}  # fmt: skip
ALWAYS = ("event", "kind", "at")
ANY = ("client", *_ACCOUNT, "entity", "source", "version")
# The names that CRMs and our own interface documents use; both are read.
ALSO = {
    "client.registered": "registration",
    "deposit.approved": "deposit",
    "deposit.reversed": "deposit_reversed",
    "withdrawal.approved": "withdrawal",
    "withdrawal.reversed": "withdrawal_reversed",
    "withdrawal.failed": "withdrawal_reversed",
    "withdrawal.cancelled": "withdrawal_reversed",
    "chargeback.opened": "chargeback_opened",
    "chargeback.lost": "chargeback_lost",
    "chargeback.won": "chargeback_won",
    "kyc.approved": "kyc_approved",
    "kyc.rejected": "kyc_rejected",
    "kyc.expired": "kyc_expired",
    "kyc.withdrawn": "kyc_withdrawn",
    "bonus.credited": "bonus",
    "bonus.removed": "bonus_removed",
    "account.compensated": "compensation",
    "payment.fee": "payment_fee",
    "account.snapshot": "account_snapshot",
    "client.qualified": "qualified",
    "client.unqualified": "unqualified",
    "client.duplicate": "client_duplicate",
    "client.not_duplicate": "client_not_duplicate",
    "client.merged": "client_merged",
    "client.unmerged": "client_unmerged",
    "client.reassigned": "client_reassigned",
    "client.reassignment_cancelled": "client_reassignment_cancelled",
}
KYC_CHANGED = "kyc.changed"  # its `status` makes it one of the following
KYC = ("kyc_approved", "kyc_rejected", "kyc_expired", "kyc_withdrawn")
# What takes back, disputes or restores the event that `reference` names.
REFERRING = (
    "deposit_reversed", "withdrawal_reversed", "chargeback_opened", "chargeback_lost",
    "chargeback_won",
)  # fmt: skip
# Who a client is, as the CRM found out: of several words the last holds.
DUPLICATE = ("client_duplicate", "client_not_duplicate")
MERGED = ("client_merged", "client_unmerged")
REASSIGNED, CANCELLED = "client_reassigned", "client_reassignment_cancelled"
# What makes no sense, and waits, until the event that `reference` names is known.
NEEDING = (*REFERRING, CANCELLED)
_TEXTS = ("currency", "reference", "server", "country", "method", "document", "other_client",
          "partner", "reason")  # fmt: skip
_ZEROS = ("login", "amount", "balance", "credit", "equity", "expires_at", "effective_at")
_UNITS = {"amount": "amount_e8", "balance": "balance_e8", "credit": "credit_e8",
          "equity": "equity_e8", "at": "at_ms", "cleared_at": "cleared_ms",
          "expires_at": "expires_ms", "effective_at": "effective_ms"}  # fmt: skip


def checked(frame: pl.DataFrame) -> tuple[pl.DataFrame, list[Refusal]]:
    """Turn the `events` frame of read_table into EVENT columns; refuse what cannot be.

    Returns the rows that are right, in their order, and the refusals in the order of lines.
    """
    kind = pl.col("kind").str.to_lowercase()
    frame = frame.with_columns(
        kind=kind.replace(ALSO), country=pl.col("country").str.to_uppercase()
    )
    if "status" in frame.columns:
        status = "kyc_" + pl.col("status").fill_null("").str.to_lowercase()
        told = pl.when(pl.col("kind") == KYC_CHANGED).then(status).otherwise("kind")
        frame = frame.with_columns(kind=told)
    frame, refused = _known_kinds(frame)
    for bad, code, reason in _RULES:
        frame, wrong = refuse(frame, bad, code, reason)
        refused += wrong
    for name, one in KINDS.items():
        for field in one.needs:
            frame, wrong = refuse(
                frame, (pl.col("kind") == name) & _lacks(field), "missing_field",
                "a {kind} needs the field " + field,
            )  # fmt: skip
            refused += wrong
    return _columns(frame), sorted(refused, key=lambda one: one.line)


def _lacks(field: str) -> pl.Expr:
    empty = pl.col(field).is_null()
    if field in ("amount", "login"):
        return empty | (pl.col(field) == 0)
    return empty if field in ("credit", "equity") else empty | (pl.col(field) == "")


def _known_kinds(frame: pl.DataFrame) -> tuple[pl.DataFrame, list[Refusal]]:
    unknown = ~pl.col("kind").is_in(list(KINDS))
    hints = {name: _hint(name) for name in frame.filter(unknown)["kind"].unique()}
    frame = frame.with_columns(
        hint=pl.col("kind").replace_strict(hints, default="", return_dtype=pl.String)
    )
    return refuse(frame, unknown, "unknown_kind", "field kind: {kind} is no kind of event{hint}")


def _hint(name: str) -> str:
    close = get_close_matches(name, [*KINDS, *ALSO], 1)
    return f" (did you mean {close[0]}?)" if close else f"; there are {', '.join(KINDS)}"


_RULES = (
    (pl.col("amount") < 0, "negative_amount",
     "field amount: the kind says which way money went, the amount is more than zero"),
    ((pl.col("amount") != 0) & pl.col("currency").is_null(), "missing_field",
     "an amount needs the field currency"),
    ((pl.col("client") == "") & ((pl.col("login") == 0) | (pl.col("server") == "")), "nobody",
     "names neither a client nor an account (server and login): write the client's code; an event"
     " with a reference needs it, too"),
    (pl.col("login") < 0, "bad_login", "field login: {login} is no account number"),
    ((pl.col("login") != 0) != (pl.col("server") != ""), "half_an_account",
     "an account is named by server and login; one of the two is missing"),
    ((pl.col("country") != "") & ~pl.col("country").str.contains("^[A-Z]{2}$"), "bad_country",
     "field country: {country} is not a two-letter code of ISO 3166 such as CY"),
    (pl.col("version") < 0, "bad_version", "field version: {version} is below zero"),
    (pl.col("reference") == pl.col("event"), "own_reference",
     "field reference: an event cannot take itself back"),
    ((pl.col("other_client") != "") & (pl.col("other_client") == pl.col("client")), "own_other",
     "field other_client: {client} is the client himself"),
    ((pl.col("kind") == "kyc_approved") & (pl.col("expires_at") <= pl.col("at"))
     & (pl.col("expires_at") != 0), "expired_before",
     "field expires_at: the document had ended when it was approved (field at); one of the two is"
     " wrong"),
    (pl.col("cleared_at") < pl.col("at"), "cleared_before",
     "field cleared_at: money is cleared after it was sent, not before"),
)  # fmt: skip


def _columns(frame: pl.DataFrame) -> pl.DataFrame:
    return (
        frame.with_columns(
            pl.col(_TEXTS).fill_null(""),
            pl.col(_ZEROS).fill_null(0),
            pl.col("cleared_at").fill_null(pl.col("at")),
        )
        .rename(_UNITS)
        .select(pl.col(name).cast(type_) for name, type_ in EVENT.items())
    )


def newest(events: pl.DataFrame) -> pl.DataFrame:
    """Return one row per (source, event): the highest version, then the later `at_ms`, then row.

    `events` is an EVENT frame, maybe with more columns, in the order in which it was told.
    """
    order = events.with_row_index("told").sort("version", "at_ms", "told")
    return order.unique(["source", "event"], keep="last").sort("told").drop("told")


def originals(events: pl.DataFrame) -> pl.Series:
    """Return for each event the row of the one that its `reference` names, -1 where there is none.

    A deposit is named by id; a chargeback may name the deposit, or the chargeback that it ends,
    whose deposit is meant then; a reversal may take back a reversal. What does not fit what it
    names (see `misfit`) takes back nothing. `events` has each identity once, as `newest` leaves it.
    """
    by_id = {key: row for row, key in enumerate(events.select("source", "event").iter_rows())}
    kinds = events["kind"].to_list()
    told = events.select("source", "reference").rows()
    found = [by_id.get(key, -1) if key[1] else -1 for key in told]
    for row, original in enumerate(found):
        seen = {row}
        while original >= 0 and original not in seen and kinds[original] in REFERRING:
            seen.add(original)
            original = found[original]
        found[row] = -1 if original in seen else original
    takings = [row for row, of in enumerate(found) if of >= 0 and kinds[row] in REFERRING]
    client = pl.col("client_id").fill_null(-1) if "client_id" in events.columns else pl.lit(-1)
    facts = events.select(client, "currency", "amount_e8") if takings else events
    for row in takings:
        (who, currency, amount_e8), (whose, of_currency, _) = facts.row(row), facts.row(found[row])
        taking = kinds[row], who, currency if amount_e8 else ""
        if misfit(taking, (kinds[found[row]], whose, of_currency)):
            found[row] = -1
    return pl.Series("original", found, dtype=pl.Int64)


def cleared(events: pl.DataFrame, by_ms: int) -> pl.DataFrame:
    """Return events without the deposits that were told before their money is there: they count
    when it is. What a sender's fast clock tells of is not among these."""
    cleared_ms = pl.col("cleared_ms")
    late = (cleared_ms > by_ms) & (cleared_ms > pl.col("at_ms"))
    return events.filter((pl.col("kind") != "deposit") | ~late)


def misfit(taking: tuple[str, int, str], original: tuple[str, int, str]) -> str:
    """Return why an event cannot take back what it names: other_kind, other_client,
    other_currency; "" = it can.

    Both as (kind, client or -1, currency or ""): of what was moved, and of what takes it back.
    """
    kind, client, currency = taking
    if original[0] != ("withdrawal" if kind == "withdrawal_reversed" else "deposit"):
        return "other_kind"
    if client >= 0 and client != original[1]:
        return "other_client"
    return "other_currency" if currency not in ("", original[2]) else ""
