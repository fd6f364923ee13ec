"""Imported files: what became of each, and the rows that were refused, with line and reason."""

from __future__ import annotations

import re
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode

from pipshare.console import shown
from pipshare.console.shown import Row, at, count, moment
from pipshare.errors import Missing
from pipshare.statements import received
from pipshare.statements.received import File
from pipshare.web import Cell, Column, Table, reading, room

_AFTER = re.compile(r"(\d{1,9})_(\d{1,18})")


@room("sources.see")
def files(request: HttpRequest) -> HttpResponse:
    """List received files, the newest first."""
    before = request.GET.get("before", "")
    with reading() as conn:
        number = int(before) if before.isdecimal() and len(before) < 19 else None
        rows, more = received.files(conn, number)
    columns = [Column("File", head=True), Column("Server"), Column("Received"),
               Column("Rows", number=True), Column("Refused", number=True),
               Column("Size", number=True), Column("Result")]  # fmt: skip
    cells: list[Row] = [
        [Cell(one.name or f"file {one.id}", reverse("console:file", args=[one.id]),
              note=one.format), one.server, at(one.received_at, one.received_by),
         count(one.rows),
         Cell(count(one.refused), tone="warn" if one.refused else ""), shown.size(one.size),
         _result(one)]
        for one in rows
    ]  # fmt: skip
    table = Table("Files", columns, cells, hide_caption=True) if cells else None
    here = reverse("console:files")
    return render(request, "console/files.html", {
        "table": table, "first": here if before else "",
        "said": shown.counted(len(rows), "file"), "older": f"{here}?before={more}" if more else "",
    })  # fmt: skip


@room("sources.see")
def file(request: HttpRequest, file_id: int) -> HttpResponse:
    """Show one file and its refused rows, by line; ?code= shows those of one code."""
    user: Any = request.user
    code = request.GET.get("code", "")[:100]
    found = _AFTER.fullmatch(request.GET.get("after", ""))
    after = (int(found[1]), int(found[2])) if found else (-1, 0)
    with reading() as conn:
        one = received.file(conn, min(file_id, 2**63 - 1))
        if one is None:
            raise Missing("no_file", f"There is no file with the number {file_id}.")
        codes = received.refusal_codes(conn, file_id)
        rows, more = received.refused(conn, file_id, after, code=code)
    sees_raw = user.may("trades.raw")
    columns = [Column("Line", head=True), Column("Code"), Column("Why it was not taken"),
               *([Column("The row itself")] if sees_raw else [])]  # fmt: skip
    cells: list[Row] = [
        [Cell(f"line {row.line}"), row.code, row.reason, *([row.raw] if sees_raw else [])]
        for row in rows
    ]
    query = {"code": code} if code else {}
    return render(request, "console/file.html", {
        "one": one, "result": _result(one), "size": shown.size(one.size), "rows": count(one.rows),
        "received": moment(one.received_at), "as_of": moment(one.as_of), "code": code,
        "codes": [(name, count(number), f"?{urlencode({'code': name})}") for name, number in codes],
        "table": Table("Refused rows", columns, cells) if cells else None,
        "said": f"{count(one.refused)} refused",
        "first": f"?{urlencode(query)}" if found else "",
        "older": f"?{urlencode({**query, 'after': f'{more[0]}_{more[1]}'})}" if more else "",
    })  # fmt: skip


def _result(one: File) -> Cell:
    if not one.booked:
        return Cell("Compared", tone="plain", note="its rows book nothing")
    note = f"trusted: {one.trust}" if one.trust else ""
    return Cell("Booked", tone="good", note=note)
