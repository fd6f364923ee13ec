"""Until exchange rates are loaded, a trade's own rate pays it; then the recorded ones do."""

from __future__ import annotations

from broker_world import World

from pipshare import market, sandbox
from pipshare.market import DEAL_ID
from pipshare.pipeline.explain import explain

_USED = """
SELECT DISTINCT ticket FROM rating_line
 WHERE fx = ANY(%s) AND amount_e8 <> 0 AND seq = 1 ORDER BY ticket
"""


def test_the_deals_rate_is_booked_explained_and_then_replaced(world: World) -> None:
    world.load_all(without=("fx",))
    world.import_all()
    run = world.run
    used = run.conn.execute(_USED, ([DEAL_ID, -DEAL_ID],)).fetchall()
    server = market.server(run.conn, "Demo-MT5")
    assert used, "no yen trade in the world"
    for (ticket,) in used[:3]:
        told = explain(run, server, ticket)
        assert told.agrees
        assert told.result is not None
        texts = [s.text for x in told.result.lines for s in x.working if s.label == "FX"]
        assert any("(the deal's own rate JPY/USD 0.00" in x for x in texts), texts
        assert any(f"ticket {ticket})" in x for x in texts)

    world.load_all()
    expected = {c: total for c, total in sandbox.expected_totals(world.broker).items() if total}
    assert world.totals() == expected
    for (ticket,) in used[:3]:
        assert explain(run, server, ticket).agrees
    world.assert_whole()
