"""Who owns an account: said once, and corrected only with a reason and a second person.

An account does not change hands on a platform. When the owner on record was wrong (a client known
twice and merged, say), the correction holds for the account's whole past.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl
import psycopg

from pipshare import audit
from pipshare.clients.settle_events import touch_owners
from pipshare.errors import BadInput, Missing
from pipshare.facts.reading import LoadReport
from pipshare.facts.values import Refusal

KIND = "account_owner"  # of the proposal
MOST = 1000  # corrections in one load; more is a wrong file
_CODES = "SELECT id, code FROM clients_client WHERE id = ANY(%s)"
_FIND = """
SELECT a.id, c.id FROM clients_account a
  JOIN market_server s ON s.id = a.server_id
  LEFT JOIN clients_client c ON c.entity_id = s.entity_id AND c.code = %s
 WHERE s.code = %s AND a.login = %s
"""
_INSERT = """
INSERT INTO clients_owner (account_id, client_id, recorded_by, reason) VALUES (%s, %s, %s, %s)
"""


def settle_owners(
    conn: psycopg.Connection[Any], rows: pl.DataFrame, known: pl.DataFrame, report: LoadReport, *,
    by: str, reason: str,
) -> tuple[pl.DataFrame, pl.DataFrame]:  # fmt: skip
    """Compare the rows' clients with each other and with the accounts on record.

    `rows` have subject, server, login, code, client_id, line; `known` subject and owner_id. Refuses
    rows that contradict each other, and another owner without reason and name; proposes it with
    them. Returns the rows to go on with, and those of them that were proposed.
    """
    rows = _of_one_mind(rows, report)
    held = rows.join(known, on="subject", how="left", maintain_order="left")
    other = held.filter(pl.col("owner_id") != pl.col("client_id"))
    if other.is_empty():
        return rows, other
    owners = other["owner_id"].unique().to_list()
    codes = dict(conn.execute(_CODES, (owners,)).fetchall())
    proposed = []
    for row in other.iter_rows(named=True):
        payload = {"server": row["server"], "login": row["login"], "client": row["code"],
                   "was": codes[row["owner_id"]]}  # fmt: skip
        try:
            report.proposed.append(_propose(conn, payload, by, reason, len(other)))
            proposed.append(row["line"])
        except BadInput as error:
            why = f"line {row['line']}, field client: {error.message}"
            report.refused.append(Refusal(row["line"], error.code, why))
    taken = pl.col("line").is_in(proposed)
    refused = other.filter(~taken).select("line")
    return rows.join(refused, on="line", how="anti", maintain_order="left"), other.filter(taken)


def _of_one_mind(rows: pl.DataFrame, report: LoadReport) -> pl.DataFrame:
    if not rows["subject"].is_duplicated().any():
        return rows
    several = pl.col("client_id").n_unique().over("subject") > 1
    for line, login, code in rows.filter(several).select("line", "login", "code").iter_rows():
        why = (
            f"line {line}, account {login}: belongs to {code} here and to another client in "
            "another line; keep the right one"
        )
        report.refused.append(Refusal(line, "said_twice", why))
    return rows.filter(~several)


def _propose(
    conn: psycopg.Connection[Any], payload: Mapping[str, Any], by: str, reason: str, many: int
) -> int:
    subject = f"account {payload['login']} on {payload['server']}"
    known = f"{subject} belongs to {payload['was']}, not to {payload['client']}"
    if many > MOST:
        raise BadInput("many_owners", (
            f"{known}; {many} accounts would change hands, which looks like a wrong file: load "
            f"at most {MOST} corrections at once"
        ))  # fmt: skip
    try:
        change = f"{subject}: {payload['was']} -> {payload['client']}"
        return audit.propose(conn, KIND, change, payload, reason, by)
    except BadInput as error:
        raise BadInput("other_owner", (
            f"{known}; if that was wrong, load the row again with --reason and --by, then "
            "`pipshare approve ID --by OTHER`"
        )) from error  # fmt: skip


def apply_owner(
    conn: psycopg.Connection[Any], payload: Mapping[str, Any], by: str
) -> int | None:  # fmt: skip
    """Give an account to another client, as approved; return 0: its whole past is concerned.

    Raises Missing when the account or the client is not known (any more).
    """
    values = (payload["client"], payload["server"], payload["login"])
    found = conn.execute(_FIND, values).fetchone()
    if found is None or found[1] is None:
        what = "account" if found is None else f"client {payload['client']}"
        raise Missing("unknown_owner", (
            f"account {payload['login']} on {payload['server']} cannot go to "
            f"{payload['client']}: the {what} is not known"
        ))  # fmt: skip
    conn.execute(_INSERT, (found[0], found[1], by, str(payload.get("reason", ""))))
    touch_owners(conn, found[0])
    return 0
