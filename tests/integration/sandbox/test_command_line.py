"""The sandbox as its own process: the ready line, bad arguments, and a clean stop."""

import json
import signal
import subprocess
import sys
import urllib.request

import pytest

COMMAND = [sys.executable, "-m", "infra.local.sandbox"]


def test_process_announces_its_port_and_stops_cleanly() -> None:
    options = ["--coins", "2", "--history-days", "3", "--days", "1"]
    with subprocess.Popen([*COMMAND, *options], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        with urllib.request.urlopen(f"{ready['url']}/sandbox/state", timeout=5) as answer:
            assert json.load(answer)["now"] == ready["now"] == "2024-08-01T00:00:00.000Z"
        assert ready["contracts"] == ["PF_XBTUSD", "PF_ETHUSD"]
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=5) == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--market", "recorded"], "needs --candles"),
        (["--candles", "/nowhere"], "/nowhere does not exist"),
        (["--start", "tomorrow"], "time is 'tomorrow', expected ISO 8601"),
        (["--balance", "-5"], "balance is '-5', expected USD above 0"),
        (["--coins", "0"], "at least 1 coin"),
    ],
)
def test_bad_arguments_give_one_sentence(options: list[str], message: str) -> None:
    done = subprocess.run([*COMMAND, *options], capture_output=True, text=True, timeout=20, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
