"""Entities and servers: what stays, what changes from a moment on, what needs two people."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from market_files import counts, load

from pipshare import audit, market
from pipshare.errors import Missing
from pipshare.period import Clock, to_ms

CLOCKS = """
    server,platform,clock,clock_from,go_live,suffixes
    Live,mt5,America/New_York+7h,,2026-07-01T00:00:00Z,.m .pro
    Live,mt5,+02:00,2026-03-01T00:00:00Z,,
    Demo,mt4,,,,
"""


def utc(*parts: int) -> int:
    return to_ms(datetime(*parts, tzinfo=UTC))


def test_main_entity_may_be_set_up_until_a_server_belongs_to_it(db):
    with db.app() as conn:
        text = "entity,name,currency,clock\nmain,Broker Ltd,EUR,Europe/Nicosia\ntwo,,,\n"
        assert counts(load(conn, "entities", text)) == (1, 1, 0, 0, 0)
        assert counts(load(conn, "entities", text)) == (0, 0, 2, 0, 0)
        codes = {one.code: one for one in market.entities(conn).values()}
        assert (codes["main"].currency, codes["main"].clock) == ("EUR", "Europe/Nicosia")
        assert (codes["two"].currency, codes["two"].clock) == ("USD", "UTC")
        load(conn, "servers", "server,platform\nLive,mt5\n")
        assert counts(load(conn, "entities", "entity,name\nmain,Other\n")) == (0, 1, 0, 0, 0)
        report = load(conn, "entities", "entity,currency,clock\nmain,USD,\ntwo,,UTC\n")
        assert counts(report) == (0, 0, 1, 1, 0)
        assert report.refused[0].reason.startswith(
            "line 2, entity main: field currency: is EUR and cannot become USD"
        )


def test_entities_that_contradict_each_other_or_have_no_clock(db):
    with db.app() as conn:
        text = "entity,clock\na,UTC\na,UTC\na,+01:00\nb,Mars/Olympus\n"
        report = load(conn, "entities", text)
        assert counts(report) == (1, 0, 1, 2, 0)
        assert [r.code for r in report.refused] == ["said_twice", "bad_clock"]


def test_servers_with_clock_history(db):
    with db.app() as conn:
        assert counts(load(conn, "servers", CLOCKS, by="ann")) == (2, 1, 0, 0, 0)
        again = load(conn, "servers", CLOCKS)
        assert counts(again) == (0, 0, 3, 0, 0)
        assert again.from_ms is None
        live = market.server(conn, "Live")
        assert live.go_live_ms == utc(2026, 7, 1)
        assert live.suffixes == (".m", ".pro")
        assert live.clocks == (
            (0, Clock.parse("America/New_York+7h")), (utc(2026, 3, 1), Clock.parse("+02:00"))
        )  # fmt: skip
        walls = np.array([utc(2025, 7, 1, 12), utc(2026, 7, 1, 12)])
        assert live.to_utc(walls).tolist() == [utc(2025, 7, 1, 9), utc(2026, 7, 1, 10)]
        assert market.server(conn, "Demo").go_live_ms is None
        with pytest.raises(Missing, match="did you mean Demo"):
            market.server(conn, "Dem0")


def test_a_changed_clock_is_a_record_from_its_moment(db):
    with db.app() as conn:
        load(conn, "servers", CLOCKS)
        text = "server,platform,clock,clock_from\nLive,mt5,UTC,2026-05-01\nDemo,mt4,+03:00,\n"
        report = load(conn, "servers", text)
        assert counts(report) == (0, 2, 0, 0, 0)
        assert report.from_ms == 0  # Demo's clock, corrected from always
        assert market.server(conn, "Live").clocks[-1][0] == utc(2026, 5, 1)
        assert market.server(conn, "Demo").clocks == ((0, Clock.parse("+03:00")),)
        undated = load(conn, "servers", "server,platform,clock\nLive,mt5,+05:00\n")
        assert undated.refused[0].code == "no_valid_from"
        twice = load(conn, "servers", "server,platform,clock\nNew,mt5,+05:00\nNew,mt5,+06:00\n")
        assert counts(twice) == (0, 0, 0, 2, 0)
        bad = load(conn, "servers", "server,platform,clock\nNew,mt5,GMT+99\n")
        assert "line 2, server New, field clock: 'GMT+99' is not a clock" in bad.refused[0].reason
        assert {one.code for one in market.servers(conn)} == {"Live", "Demo"}


def test_what_a_server_is_does_not_change(db):
    with db.app() as conn:
        load(conn, "servers", CLOCKS)
        load(conn, "entities", "entity\ntwo\n")
        text = """
            server,platform,entity,authority
            Live,mt4,,
            Live,mt5,two,
            Live,mt5,nine,
            Live,mt5,main,files
        """
        report = load(conn, "servers", text)
        assert counts(report) == (0, 0, 1, 3, 0)
        fields = ["platform", "entity"]
        for field, refused in zip(fields, report.refused[:2], strict=True):
            assert refused.code == "fixed"
            assert f"server Live: field {field}: is " in refused.reason
        assert "entity 'nine' is not known" in report.refused[2].reason


def test_another_authority_waits_for_a_second_person(db):
    change = "server,platform,authority\nLive,mt5,mt5_web\n"
    with db.app() as conn:
        load(conn, "servers", CLOCKS)
        (alone,) = load(conn, "servers", change).refused
        assert "from files to mt5_web needs a second person" in alone.reason
        (bad,) = load(conn, "servers", "server,platform,authority\nLive,mt5,feed\n").refused
        assert "'feed' is none of files, mt5_web, api" in bad.reason
        (number,) = load(conn, "servers", change, reason="we connect", by="anna").proposed
        assert market.server(conn, "Live").authority == "files"
        audit.approve(conn, number, "ben", {"authority": market.apply_authority})
        assert market.server(conn, "Live").authority == "mt5_web"
        again = load(conn, "servers", change, reason="we connect", by="anna")
        assert (again.same, again.proposed) == (1, [])


def test_another_go_live_waits_for_a_second_person(db):
    change = "server,platform,go_live\nLive,mt5,2026-08-01T00:00:00Z\n"
    with db.app() as conn:
        load(conn, "servers", CLOCKS, by="ann")
        alone = load(conn, "servers", change)
        assert counts(alone) == (0, 0, 0, 1, 0)
        assert "--reason and --by" in alone.refused[0].reason
        report = load(conn, "servers", change, by="ann", reason="late start")
        again = load(conn, "servers", change, by="ann", reason="late start")
        assert counts(report) == (0, 0, 0, 0, 1)
        assert again.proposed == report.proposed
        assert market.server(conn, "Live").go_live_ms == utc(2026, 7, 1)
        decided = audit.approve(conn, report.proposed[0], "bob", {"go_live": market.apply_go_live})
        assert decided.outcome == utc(2026, 7, 1)
        assert market.server(conn, "Live").go_live_ms == utc(2026, 8, 1)
        assert counts(load(conn, "servers", change)) == (0, 0, 1, 0, 0)


def test_a_first_go_live_later_is_set_directly(db):
    with db.app() as conn:
        load(conn, "servers", CLOCKS)
        text = "server,platform,go_live\nDemo,mt4,2026-08-01\n"
        assert counts(load(conn, "servers", text, by="ann")) == (0, 1, 0, 0, 0)
        assert market.server(conn, "Demo").go_live_ms == utc(2026, 8, 1)


def test_suffixes_are_kept_changed_and_cleared(db):
    with db.app() as conn:
        load(conn, "servers", CLOCKS)
        assert counts(load(conn, "servers", "server,platform\nLive,mt5\n")) == (0, 0, 1, 0, 0)
        cleared = load(conn, "servers", "server,platform,suffixes\nLive,mt5,-\n")
        assert (cleared.changed, cleared.from_ms) == (1, 0)
        assert market.server(conn, "Live").suffixes == ()
