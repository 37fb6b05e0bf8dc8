"""A wrong input is one plain sentence and exit code 1, and nothing is started or changed."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from infra.local.sandbox.__main__ import main as serve_sandbox
from tests.fakes.candle_archives import BAD_ARCHIVES
from tests.integration.local.commands import refused, smc_trader

HEADER = "timestamp,open,high,low,close,volume\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--rules-override", '{"gates": {"colour": 1}}'], "unknown rule gates.colour; expected one of"),
        (["--rules-override", '{"gates": {"adx_minimum": "high"}}'], "gates.adx_minimum is 'high'"),
        (["--rules-override", '{"risk": {"risk_per_trade_pct": 50}}'], "risk.risk_per_trade_pct is 50"),
        (["--rules-override", "{"], "not JSON"),
        (["--days", "0"], "days is 0; expected 1 to 40"),
        (["--coins", "0"], "coins is 0"),
        (["--candles", "/nowhere"], "candles folder /nowhere does not exist"),
    ],
)
def test_wrong_demo_option_starts_nothing(tmp_path: Path, arguments: list[str], said: str) -> None:
    state = tmp_path / "state"

    assert said in refused(smc_trader("demo", "--state-dir", str(state), *arguments))
    assert not state.exists()


@pytest.mark.parametrize(
    "rows",
    [
        "1704067200000,1,2,0.5,oops,3\n",
        "1704067200000,1,0.5,2,1,3\n",
        "1704067200000,1,2\n",
        "",
    ],
)
def test_malformed_candle_file_names_the_file(tmp_path: Path, rows: str) -> None:
    candles, state = tmp_path / "candles", tmp_path / "state"
    candles.mkdir()
    with gzip.open(candles / "BTC_USD-15m-20240101-20240301.csv.gz", "wt") as file:
        file.write(HEADER + rows)

    sentence = refused(smc_trader("demo", "--state-dir", str(state), "--candles", str(candles)))
    assert "BTC_USD-15m-20240101-20240301.csv.gz" in sentence
    assert not (state / "summary.json").exists()


@pytest.mark.parametrize("kind", BAD_ARCHIVES)
def test_bad_archive_keeps_the_venue_from_starting(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    bad = BAD_ARCHIVES[kind]
    path = bad.write(tmp_path)
    assert serve_sandbox(["--candles", str(tmp_path)]) == 2
    (sentence,) = capsys.readouterr().err.splitlines()
    assert sentence.startswith(f"sandbox: {path} line {bad.line or ''}")
    assert bad.said in sentence


@pytest.mark.parametrize("kind", ["truncated gzip", "underscore in a time", "superscript digits", "binary junk"])
def test_bad_archive_is_one_sentence_of_demo(tmp_path: Path, kind: str) -> None:
    candles, state = tmp_path / "candles", tmp_path / "state"
    candles.mkdir()
    bad = BAD_ARCHIVES[kind]
    path = bad.write(candles)
    sentence = refused(smc_trader("demo", "--state-dir", str(state), "--candles", str(candles)))
    assert f"{path} line {bad.line or ''}" in sentence
    assert bad.said in sentence
    assert not (state / "summary.json").exists()


@pytest.mark.parametrize("command", [["status"], ["pause", "--reason", "x"], ["traces", "BTC"], ["stop"]])
def test_operator_command_without_a_stack_says_so(tmp_path: Path, command: list[str]) -> None:
    assert "no local stack is alive" in refused(smc_trader(*command, "--state-dir", str(tmp_path)))
