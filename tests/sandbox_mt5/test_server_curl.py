"""The sandbox driven by plain curl, which knows nothing of us: certificate, cookie, keep-alive."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from subprocess import PIPE
from typing import Any

import pytest
from web_api import CLI_RAND, answer_for

from pipshare.sandbox.mt5 import Mt5Server
from transcripts_reader import exchanges, let

CURL = shutil.which("curl")
pytestmark = pytest.mark.skipif(CURL is None, reason="curl is not installed")


def curl(server: Mt5Server, *arguments: str) -> subprocess.CompletedProcess[str]:
    fixed = ["--silent", "--show-error", "--max-time", "20", "--cacert", str(server.cert_file)]
    return subprocess.run(
        [CURL or "curl", *fixed, *arguments], capture_output=True, text=True, check=False
    )


def _answers(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def test_one_curl_one_connection_one_session(serve, tmp_path: Path) -> None:
    """The whole documented exchange in one call of curl, over the one connection that it keeps.

    The answer to the challenge has to be on the command line before the challenge is known, so
    the server gives MetaQuotes' published one; everything else is as it always is.
    """
    server = serve(srv_rand=lambda: bytes.fromhex(let()["srv_rand"]))
    asked = [one for one in exchanges() if not one.name.startswith("deal_get")]
    urls = [f"{server.url}{one.target}" for one in asked]
    ran = curl(server, "--write-out", "\\n%{http_code} %{num_connects}\\n", "--cookie-jar",
               str(tmp_path / "jar"), *urls)  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    got = _answers(ran.stdout)
    assert [one["retcode"] for one in got] == ["0 Done"] * len(asked)
    assert got[1]["cli_rand_answer"] == let()["cli_rand_answer"]
    codes = [line for line in ran.stdout.splitlines() if line[:1] in "24"]
    assert codes == ["200 1"] + ["200 0"] * (len(asked) - 1)  # connected once
    assert server.requests["connections"] == 1


def test_curl_on_a_new_connection_is_nobody(serve, tmp_path: Path) -> None:
    """By default the cookie alone opens nothing: a session is its connection."""
    server = serve(srv_rand=lambda: bytes.fromhex(let()["srv_rand"]))
    jar = str(tmp_path / "jar")
    urls = [f"{server.url}{one.target}" for one in exchanges()[:2]]
    assert curl(server, "--cookie-jar", jar, *urls).returncode == 0
    assert "SessionID" in Path(jar).read_text()
    refused = curl(server, "--cookie", jar, "--write-out", "%{http_code}", "--output", "/dev/null",
                   f"{server.url}/api/test/access")  # fmt: skip
    assert refused.stdout == "403"


def test_curl_answers_a_real_challenge(server) -> None:
    """One curl, one connection, a challenge that nobody knew before: curl reads the body of its
    second request from its standard input only when it sends it, so the answer can be worked out
    from what the first request brought."""
    start = f"{server.url}/api/auth/start?version=1290&agent=curl&login=1000&type=manager"
    every = ["--silent", "--show-error", "--max-time", "20", "--no-buffer",
             "--cacert", str(server.cert_file), "--write-out", "\n%{num_connects}\n"]  # fmt: skip
    following = (
        ["--request", "POST", "--upload-file", "-", f"{server.url}/api/auth/answer"],
        [f"{server.url}/api/deal/get_batch?group=*&from=0&to=2000000000"],
        ["--data", "group=real*&from=0", "--data", "to=2000000000",
         f"{server.url}/api/deal/get_batch"],
        ["--data", '{"ticket":[1,2]}', f"{server.url}/api/deal/get_batch"],
        [f"{server.url}/api/quit"],
    )  # fmt: skip
    asked = [CURL or "curl", *every, start]
    for one in following:
        asked += ["--next", *every, *one]
    with subprocess.Popen(asked, stdin=PIPE, stdout=PIPE, stderr=PIPE, text=True) as run:
        assert run.stdout is not None
        said = ""
        while not said.endswith("}") and (one := run.stdout.read(1)):
            said += one  # not readline: the line end after it comes when curl pleases
        rand = json.loads(said)["srv_rand"]
        rest, errors = run.communicate(
            f"srv_rand_answer={answer_for('Password1', rand)}&cli_rand={CLI_RAND}"
        )
    assert run.returncode == 0, errors
    signed, everything, real, none, ended = _answers(rest)
    assert signed["cli_rand_answer"] == answer_for("Password1", CLI_RAND)
    assert len(everything["answer"]) > len(real["answer"]) > 5
    assert none == {"retcode": "0 Done", "answer": []}
    assert ended == {"retcode": "0 Done"}
    assert [line for line in rest.splitlines() if line in ("0", "1")] == ["1"] + ["0"] * 5
    assert server.requests["connections"] == 1


def test_curl_does_not_trust_another_certificate(server) -> None:
    server.faults.add("certificate", value="other")
    refused = curl(server, f"{server.url}/api/test/access")
    assert refused.returncode == 60
    assert "certificate" in refused.stderr
