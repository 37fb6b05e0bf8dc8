"""`smc-trader paper` as a person runs it: processes of their own, one after the other, with one paper account."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from infra.local.processes import ready_line, spawn, stop
from infra.local.provision import client
from infra.local.sandbox_client import SandboxState
from infra.local.stack import PROCESSES, SANDBOX, LocalStack, StackParameters
from tests.integration.local.commands import refused, smc_trader
from tests.integration.local.killing import LOOSE
from trading.errors import InvalidInput

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

OPTIONS = ("--sandbox", "--coins", "3", "--seed", "3", "--rules-override", json.dumps(LOOSE))


@dataclass
class Trading:
    """What two processes said, and what stood in the account after each."""

    said: list[str] = field(default_factory=list)
    books: list[dict[str, Any]] = field(default_factory=list)
    sandbox: list[SandboxState] = field(default_factory=list)

    def fills(self, run: int) -> list[str]:
        return [each["fill_id"] for each in self.books[run]["fills"]]


def books_in(directory: Path) -> tuple[dict[str, Any], SandboxState]:
    """The stored account, and what the sandbox knows of its own one."""
    stack = LocalStack.attach(directory)
    try:
        table = stack.template().function("control_trading").environment["SMC_LEDGER_TABLE"]
        key = {"pk": {"S": "PAPER"}, "sk": {"S": "BOOKS"}}
        item = client("dynamodb", stack.names.endpoint).get_item(TableName=table, Key=key)["Item"]
        return json.loads(zlib.decompress(item["data"]["B"]))["books"], stack.sandbox().state()
    finally:
        stack.leave()


@pytest.fixture(scope="module")
def trading(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trading]:
    directory, seen = tmp_path_factory.mktemp("paper") / "state", Trading()
    for options in (("--minutes", "205"), ("--minutes", "30", "--balance", "5000")):
        answer = smc_trader("paper", *OPTIONS, *options, "--state-dir", str(directory), seconds=240)
        assert answer.returncode == 0, answer.stderr
        seen.said.append(answer.stdout)
        books, sandbox = books_in(directory)
        seen.books.append(books)
        seen.sandbox.append(sandbox)
    yield seen
    LocalStack.end(directory)


def test_paper_run_shows_signals_positions_and_equity(trading: Trading) -> None:
    first, last = trading.said[0], trading.said[0].splitlines()[-2]
    assert "nothing is sent to any venue" in first.splitlines()[0]
    assert "signal BTC short" in first
    assert "BTC short protected, stop" in first
    assert "USD, open positions 1, closed trades 0" in last


def test_fills_are_kept_from_process_to_process(trading: Trading) -> None:
    assert trading.fills(0)
    assert trading.fills(1)[: len(trading.fills(0))] == trading.fills(0)
    assert trading.books[1]["now"] > trading.books[0]["now"]
    assert trading.said[1].startswith("Trading on paper goes on")
    assert "The balance of 5000 USD is not used: the paper account is open already" in trading.said[1]
    assert "BTC short protected, stop" in trading.said[1]


def test_sandbox_is_only_a_source_of_prices(trading: Trading) -> None:
    for state in trading.sandbox:
        assert (state.fills, state.positions, state.client_order_ids, state.equity) == (0, {}, (), 10_000)


def test_unreachable_prices_are_one_clear_sentence(tmp_path: Path) -> None:
    said = refused(smc_trader("paper", "--prices", "http://127.0.0.1:1", "--state-dir", str(tmp_path / "state")))
    assert "http://127.0.0.1:1 cannot be read from here" in said
    assert said.endswith("make paper SANDBOX=1")
    assert not (tmp_path / "state").exists()


def test_prices_of_a_living_venue_need_no_sandbox(tmp_path: Path) -> None:
    """A venue that lives in real time, as Kraken does; the stack only reads it, by the machine's clock."""
    arguments = ["--port", "0", "--real-time", "--coins", "2", "--days", "2", "--history-days", "20"]
    venue = spawn("infra.local.sandbox", arguments, tmp_path / "venue")
    try:
        url = f"http://127.0.0.1:{ready_line(venue)['port']}"
        options = ("--prices", url, "--minutes", "0", "--balance", "2500", "--state-dir", str(tmp_path / "state"))
        answer = smc_trader("paper", *options, seconds=240)
        assert answer.returncode == 0, answer.stderr
        assert f"at the prices of {url}" in answer.stdout
        assert "equity 2500.00 USD, open positions 0" in answer.stdout
        kept = json.loads((tmp_path / "state" / "stack.json").read_text())
        assert set(kept["processes"]) == set(PROCESSES) - {SANDBOX}
        LocalStack.end(tmp_path / "state")
    finally:
        stop(venue)


@pytest.mark.parametrize(("options", "words"), [(("--minutes", "-1"), "minutes is -1"), (("--balance", "x"), "'x'")])
def test_wrong_option_is_one_sentence(options: tuple[str, ...], words: str) -> None:
    assert words in refused(smc_trader("paper", "--sandbox", *options))


def test_live_mode_never_takes_prices_from_elsewhere() -> None:
    with pytest.raises(InvalidInput, match="expected paper"):
        StackParameters(candles=None, seed=1, coins=1, prices="http://127.0.0.1:1")


def test_paper_account_outlives_a_change_of_the_code() -> None:
    kept = {"candles": None, "seed": 1, "coins": 1, "rules_override": "", "prices": "", "code_version": "older"}
    assert StackParameters(candles=None, seed=1, coins=1, mode="paper").goes_on_from({**kept, "mode": "paper"})
    assert not StackParameters(candles=None, seed=1, coins=1).goes_on_from({**kept, "mode": "live"})
