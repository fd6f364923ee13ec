"""`pipshare demo --once`, whole: from a click to what a tracker and a CRM are told."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PIPSHARE = str(Path(sys.executable).with_name("pipshare"))


def test_a_bounded_run_shows_tracking_from_click_to_postback(tmp_path: Path) -> None:
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
    for count in ("4 first_trade", "5 qualified_deposit", "6 registration", "Webhooks: 15, 15"):
        assert count in told, told
