"""What tracking in the demonstration needs: links, a tracker that posts back, receivers.

All of it is made once. An affiliate, Lena, advertises and counts in her own tracker (Voluum); a
partner who was there before has a link, too. The broker's CRM hears of clients by a webhook. Both
receivers are the sandbox tracker on this machine, wherever it listens this time.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipshare import inbox, market, outbox, partners, settings
from pipshare.cli.options import console
from pipshare.errors import Conflict
from pipshare.outbox import Receiver
from pipshare.pipeline import Run
from pipshare.pipeline.loads import load
from pipshare.sandbox.cast import Partner
from pipshare.tracking.presets import PRESETS

BY = "demo"
SITE = "demo-site"  # the tracker that posts back
LENA = Partner("IB-330", "Lena Ads", "IB-300", "USD", "classic-rebate", "standard")
LINKS = (("lena-search", LENA.code, "search"), ("sofia", "IB-111", "spring"),
         ("lena-video", LENA.code, "video"))  # fmt: skip
VOLUUM, CRM = "Lena's Voluum", "Demo CRM"
_LANDING = ("open", "https://broker.example/open?lang=en")
_TOLD = {
    VOLUUM: ["client.registered", "client.qualified", "client.first_trade", "commission.posted"],
    # First trades are left out: the trade server's history has thousands of clients'.
    CRM: ["client.registered", "client.qualified"],
}
_NOWHERE = "http://127.0.0.1:1"  # until it is known where the sandbox tracker listens


def prepare(run: Run) -> None:
    """Make what is not there yet, in one transaction; Lena and her terms by files, as others."""
    conn = run.conn
    if LENA.code not in partners.all_partners(conn)["code"].to_list():
        _load_lena(run)
    entity_id = next(iter(market.entities(conn)))
    if not any(one.code == _LANDING[0] for one in partners.landings(conn, entity_id)):
        partners.add_landing(conn, entity_id, *_LANDING, by=BY)
    known = {one.code for one in partners.links(conn, archived=True)}
    for code, partner, campaign in LINKS:
        if code not in known:
            who = partners.partner(conn, partner)
            partners.add_link(conn, who, by=BY, code=code, campaign=campaign)
    if not any(one.code == SITE for one in inbox.trackers(conn)):
        token, _ = inbox.add_tracker(conn, entity_id, SITE, money=("deposit",), by=BY)
        _keep("tracker_token", token)
    receivers = {one.name for one in outbox.receivers(conn)}
    if VOLUUM not in receivers:
        lena = partners.partner(conn, LENA.code)
        outbox.add(conn, entity_id, "postback", VOLUUM, _settings(VOLUUM, _NOWHERE),
                   partner_id=lena.id, partner=lena.code, by=BY)  # fmt: skip
    if CRM not in receivers:
        made = outbox.add(conn, entity_id, "webhook", CRM, _settings(CRM, _NOWHERE), by=BY)
        _keep("webhook_secret", outbox.rotate_secret(conn, made, by=BY))
    conn.commit()


def point_to(run: Run, url: str) -> None:
    """Let both receivers lead to the sandbox tracker at `url`."""
    for one in ours(run):
        wanted = _settings(one.name, url)
        if one.settings.get("url") != wanted["url"]:
            outbox.change(run.conn, one, {**one.settings, **wanted}, by=BY)
    run.conn.commit()


def ours(run: Run) -> list[Receiver]:
    """Return the demonstration's receivers; what a visitor removed is gone."""
    found = [one for one in outbox.receivers(run.conn) if one.name in _TOLD]
    run.conn.commit()
    return found


def token() -> str:
    """Return the token with which the broker's site posts back."""
    return _kept("tracker_token")


def webhook_secret() -> str:
    """Return the secret with which webhooks to the CRM are signed."""
    return _kept("webhook_secret")


def say(url: str, tracker: str) -> None:
    """Tell where to look."""
    console.print(f"Links:   {url.rstrip('/')}/c/{LINKS[0][0]} and {len(LINKS) - 1} more; visitors"
                  " click, register, deposit and trade")  # fmt: skip
    console.print(f"Tracker: {tracker}   what {VOLUUM} and the {CRM} are told")


def _settings(name: str, url: str) -> dict[str, Any]:
    told: dict[str, Any] = {"events": _TOLD[name]}
    if name == CRM:
        return {**told, "url": f"{url}/webhook"}
    preset = PRESETS["voluum"]
    where = preset.url.replace("https://<tracking domain>", f"{url}/voluum")
    return {**told, "url": where, "preset": "voluum", "event_names": dict(preset.events),
            "statuses": dict(preset.statuses)}  # fmt: skip


def _load_lena(run: Run) -> None:
    folder = settings.ENV.data / "demo" / "live"
    folder.mkdir(parents=True, exist_ok=True)
    tables = {
        "partners": ("partner,name,parent,currency",
                     f"{LENA.code},{LENA.name},{LENA.parent},{LENA.currency}"),
        "terms": ("partner,programme,card", f"{LENA.code},{LENA.programme},{LENA.card}"),
    }  # fmt: skip
    for kind, lines in tables.items():
        path = folder / f"lena_{kind}.csv"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        load(run, kind, path, by=BY)


def _keep(name: str, secret: str) -> None:
    """Keep a secret that is shown only once; written before the database has it for good."""
    path = _path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(secret, encoding="utf-8")


def _kept(name: str) -> str:
    try:
        return _path(name).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise Conflict(
            "lost_secret",
            f"{_path(name)} is gone, and the demonstration cannot go on without it: start over with"
            " `pipshare demo --reset`",
        ) from None


def _path(name: str) -> Path:
    return settings.ENV.data / "demo" / name
