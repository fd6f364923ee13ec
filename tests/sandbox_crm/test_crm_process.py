"""`pipshare sandbox crm` as a process of its own: what it says, what it refuses, its end."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from crm_calls import ask, until

from pipshare.cli import main

PIPSHARE = str(Path(sys.executable).with_name("pipshare"))


def test_it_serves_until_it_is_ended() -> None:
    asked = [PIPSHARE, "sandbox", "crm", "--day", "0.001", "--every", "0", "--with-parent",
             "--fault", "500:path=/api/TradeInfo,times=ever"]  # fmt: skip
    with subprocess.Popen(asked, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        said = re.match(r"sandbox crm on (http://\S+)/ ", process.stdout.readline())
        assert said
        url = said.group(1)
        until(lambda: "17 traders" in ask(url, "/")[1])
        assert ask(url, "/api/TradeInfo")[0] == 500
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--fault", "nonsense", "no fault 'nonsense'"),
        ("--fault", "500:colour=red", "colour"),
        ("--zone", "Atlantis", "--zone Atlantis is no zone"),
        ("--secret", "%", "--secret is not base64"),
        ("--hooks", "ftp://x", "--hooks: 'ftp://x' is no address"),
        ("--coins", "", "--coins names no currency"),
    ],
)
def test_it_says_what_is_wrong(
    option: str, value: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main(["sandbox", "crm", option, value])
    assert end.value.code not in (0, None)
    assert said in capsys.readouterr().err
