"""Postbacks that the known trackers take: their parameters, their words, and the link they need.

From the trackers' public help pages. A tracker's own click id travels as `sub1`: the partner puts
its macro into his link, we store it with the click, and {sub1} gives it back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

_SALE = dict.fromkeys(("qualified_deposit", "first_trade", "trade", "commission"), "sale")


@dataclass(frozen=True)
class Preset:
    """A tracker: the template of its postback, its words, and where our link takes its click id.

    `url` has <words in angle brackets> for what the partner looks up in his tracker. `link` is what
    stands behind our link: the tracker's own macro as sub1. `events` and `statuses` are by our
    event's name; without one the name itself is used, and no status.
    """

    name: str
    url: str
    link: str
    events: Mapping[str, str] = field(default_factory=dict)
    statuses: Mapping[str, str] = field(default_factory=dict)
    note: str = ""


PRESETS: dict[str, Preset] = {
    "voluum": Preset(
        "Voluum",
        "https://<tracking domain>/postback?cid={sub1}&payout={payout}&currency={currency}"
        "&txid={txid}&et={event}",
        "sub1={clickid}",
        note="Make custom conversion events in Voluum with these names as their postback values.",
    ),
    "keitaro": Preset(
        "Keitaro",
        "https://<tracker domain>/<postback key>/postback?subid={sub1}&status={status}"
        "&payout={payout}&currency={currency}&tid={txid}",
        "sub1={subid}",
        statuses={"registration": "lead", **_SALE, "reversal": "rejected"},
        note="Keitaro tells repeated conversions of a click apart by tid.",
    ),
    "binom": Preset(
        "Binom",
        "https://<tracker domain>/click.php?cnv_id={sub1}&payout={payout}"
        "&cnv_currency={currency}&cnv_status={event}",
        "sub1={clickid}",
        note="For steps of one conversion add event1=1 ... event30=1 to a receiver of their own.",
    ),
    "redtrack": Preset(
        "RedTrack",
        "https://<tracking domain>/postback?clickid={sub1}&sum={payout}&type={event}",
        "sub1={clickid}",
        note="Make conversion types in RedTrack with these names.",
    ),
    "everflow": Preset(
        "Everflow",
        "https://<tracking domain>/?nid=<network id>&transaction_id={sub1}&amount={payout}"
        "&event={event}&adv1={txid}&adv2={client_id}",
        "sub1={transaction_id}",
    ),
    "tune": Preset(
        "TUNE (HasOffers)",
        "https://<tracking domain>/aff_lsr?transaction_id={sub1}&amount={payout}&goal={event}",
        "sub1={transaction_id}",
    ),
    "affise": Preset(
        "Affise",
        "https://<tracking domain>/postback?clickid={sub1}&sum={payout}&status={status}"
        "&goal={event}&action_id={txid}",
        "sub1={clickid}",
        statuses={"registration": "1", **dict.fromkeys(_SALE, "1"), "reversal": "3"},
        note="Status 1 is approved, 3 declined; action_id tells conversions of a click apart.",
    ),
    "scaleo": Preset(
        "Scaleo",
        "https://<tracking domain>/track/conv?click_id={sub1}&payout={payout}&goal_alias={event}",
        "sub1={click_id}",
    ),
}
