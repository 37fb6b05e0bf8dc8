"""The acceptance run over a whole exchange, rehearsed with few coins and a short minute: real processes throughout."""

from __future__ import annotations

import subprocess
import sys

import pytest

from infra.local.template import ROOT
from shared.progress import INGEST
from tests.integration.market_data.ingest_scene import MINUTE, START, Scene

MODULE = "tests.integration.market_data.whole_exchange"
COINS, CALLS_PER_SECOND, MINUTE_S = "36", "8", "2.5"
DEADLINE_S = 120.0


@pytest.mark.slow
def test_close_comes_in_under_both_limits() -> None:
    # A process of its own: AWS is an emulator over HTTP there, and this process has another one inside.
    command = [sys.executable, "-m", MODULE, "both", COINS, CALLS_PER_SECOND, MINUTE_S]
    run = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        printed, violations = run.communicate(timeout=DEADLINE_S)
    finally:
        # Terminated, never killed: it has processes of its own to end.
        run.terminate()
        run.wait()
    assert (run.returncode, violations) == (0, ""), f"{violations}\n{printed}"
    assert printed.count("every expectation was met") == 2


def test_shard_after_the_conclusion_keeps_its_record(scene: Scene) -> None:
    scene.change_rules("ingest", shard_above=2, shard_coins=2, run_s=0.4)
    scene.change_rules("quality", degraded_after_failures=1)
    scene.run(START)
    scene.run_shards(START)
    scene.spot.hanging = {"XCCCZUSD"}
    now = START + 15 * MINUTE
    scene.run(now)
    sent = list(scene.sent)
    try:
        scene.run_shards(now)
        concluded = scene.world.control.last_runs()[INGEST]
        scene.sent[:] = sent
        scene.run_shards(now + MINUTE / 2)
    finally:
        scene.spot.released.set()
    assert concluded.proof["waiting"] == {"CCC": "no answer within 0.42 s"}
    assert scene.world.control.last_runs()[INGEST] == concluded
