"""`pipshare demo --once`, whole: clicks and a CRM's clients, to what partners get and are told."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

CLIENTS = [str(number) for number in range(70001, 70007)]
LOST = ("70002", "70004")
PIPSHARE = str(Path(sys.executable).with_name("pipshare"))


def test_a_bounded_run_shows_clicks_postbacks_and_a_crm(tmp_path: Path) -> None:
    bare = {k: v for k, v in os.environ.items() if not k.startswith(("PIPSHARE_", "DATABASE"))}
    environment = {**bare, "PIPSHARE_DATA": str(tmp_path / "data"), "CI": "1", "COLUMNS": "200"}
    ran = subprocess.run([PIPSHARE, "demo", "--once", "--trades", "60"], env=environment,
                         capture_output=True, text=True, check=False, timeout=300)  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    shown = [line.split() for line in ran.stdout.splitlines()]
    for row in (
        "IB-111 sofia 4 2 2 2 0",
        "IB-330 lena-search 9 5 4 3 1",
        "IB-330 lena-video 3 1 1 1 1",
    ):
        assert row.split() in shown, ran.stdout
    told = " ".join(ran.stdout.split())
    assert "0 of them with something wrong" in told, told
    for count in ("4 first_trade", "5 qualified_deposit", "6 registration"):
        assert count in told, told
    webhooks = re.search(r"Webhooks: (\d+), (\d+) with a signature that fits", told)
    assert webhooks, told
    assert int(webhooks[1]) == int(webhooks[2]) >= 27, told
    # What the sandbox CRM told: earned for four clients, nothing left of two.
    clients = {line[0]: " ".join(line[1:]) for line in shown if line and line[0] in CLIENTS}
    for code in CLIENTS:
        assert clients[code].endswith("150.00 USD") or code in LOST, told
    assert "chargeback lost" in clients["70002"], told
    assert "deposit reversed" in clients["70004"], told
    assert "webhooks: 19 taken, 0 waiting, 0 given up" in told, told
    assert "application 1 is CD-" in told, told
