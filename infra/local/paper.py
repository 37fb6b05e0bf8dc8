"""Trading on paper on this machine: the whole system in mode paper, with live public prices or those of the sandbox.

The stack is left alive at the end, as it holds the paper account; the next run with the same options goes on with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from infra.local.records import months
from infra.local.runner import CONTROL, Runner
from infra.local.stack import KRAKEN, LocalStack, StackParameters
from shared.observability import telemetry_for
from shared.runtime import control_of, ledger_of
from shared.settings import TradingSettings, load_settings
from shared.storage.ledger import Ledger, StoredSignal
from shared.trading_desk import open_desk
from shared.venue import KrakenFuturesMarket
from shared.venue.paper import PaperVenue
from shared.venue.transport import KRAKEN_FUTURES_URL
from trading.errors import InvalidInput, TradingError
from trading.model.positions import Position, Trade
from trading.model.units import plain
from trading.rules import load_rules

REACH_SECONDS = 5.0
SIGNALS_BACK = timedelta(hours=2)
SANDBOX_STANDING = timedelta(hours=6)
LIVE_STANDING = timedelta(minutes=15)
CENT = Decimal("0.01")

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperOptions:
    """`prices`: as in StackParameters. `minutes` of the prices' time to trade for, None until it is stopped.

    `balance`: USD to open a new account with, None for the usual amount.
    """

    prices: str
    state_dir: Path
    minutes: int | None
    balance: Decimal | None = None
    seed: int = 1
    coins: int = 20
    rules_override: str = ""

    def __post_init__(self) -> None:
        if self.minutes is not None and self.minutes < 0:
            raise InvalidInput(f"minutes is {self.minutes}; expected 0 or more")
        if self.balance is not None and not (self.balance.is_finite() and self.balance > 0):
            raise InvalidInput(f"balance is {self.balance}; expected above 0 USD")
        load_rules(self.rules_override)

    @property
    def parameters(self) -> StackParameters:
        return StackParameters(
            candles=None,
            seed=self.seed,
            coins=self.coins,
            rules_override=self.rules_override,
            mode="paper",
            prices=self.prices,
        )


def trade_on_paper(options: PaperOptions, tell: Tell) -> None:
    """Run until the time is over or somebody stops it. Raises InvalidInput with one sentence when it cannot."""
    if options.prices:
        _require_reachable(KRAKEN_FUTURES_URL if options.prices == KRAKEN else options.prices)
    stack = LocalStack.open(options.state_dir, options.parameters)
    try:
        with stack.files.logs.open("a", encoding="utf-8") as log:
            runner = Runner(stack, log)
            runner.invoker.enter(CONTROL)
            _open_account(runner, options, tell)
            runner.begin()
            _follow(runner, options, Teller(runner), tell)
    finally:
        stack.leave()


def _require_reachable(url: str) -> None:
    try:
        KrakenFuturesMarket(base_url=url, timeout_s=REACH_SECONDS).quotes()
    except TradingError as error:
        reason = str(error).split("\n")[0][:160]
        raise InvalidInput(
            f"the public prices at {url} cannot be read from here ({reason}); "
            "to trade on paper at the sandbox's prices instead: make paper SANDBOX=1"
        ) from None


def _open_account(runner: Runner, options: PaperOptions, tell: Tell) -> None:
    source = {"": "the sandbox", KRAKEN: "Kraken"}.get(options.prices, options.prices)
    venue = open_desk(load_settings(TradingSettings), telemetry_for("paper")).venue
    if not isinstance(venue, PaperVenue):
        raise InvalidInput(f"the local stack in {options.state_dir} is not on paper; expected another --state-dir")
    if runner.stack.resumed:
        tell(f"Trading on paper goes on at the prices of {source}; nothing is sent to any venue.")
    else:
        tell(f"Trading on paper at the prices of {source}; nothing is sent to any venue.")
    if options.balance is None:
        return
    try:
        venue.open_account(options.balance)
    except InvalidInput as error:
        if not runner.stack.resumed:
            raise
        tell(f"The balance of {options.balance} USD is not used: {error}.")


def _follow(runner: Runner, options: PaperOptions, teller: Teller, tell: Tell) -> None:
    start, standing = runner.now, LIVE_STANDING if options.prices else SANDBOX_STANDING
    told = start
    for line in (*teller.news(), teller.standing()):
        tell(line)
    until = None if options.minutes is None else start + timedelta(minutes=options.minutes)
    while until is None or runner.now < until:
        if runner.next_stop > runner.last:
            tell("The prices have ended.")
            break
        runner.step()
        for line in teller.news():
            tell(line)
        if runner.now - told >= standing:
            told = runner.now
            tell(teller.standing())
    if runner.now > told:
        tell(teller.standing())


@dataclass(slots=True)
class Teller:
    """Says what is new in the stores since it looked last."""

    runner: Runner
    signals: set[str] = field(default_factory=set)
    positions: dict[str, str] = field(default_factory=dict)
    trades: set[str] = field(default_factory=set)

    @property
    def ledger(self) -> Ledger:
        return self.runner.ledger

    def news(self) -> Iterator[str]:
        now = self.runner.now
        for stored in self.ledger.signals_decided_since(now - SIGNALS_BACK, now):
            if stored.signal.id not in self.signals:
                self.signals.add(stored.signal.id)
                yield self._line(_signal(stored))
        for position in self.ledger.open_positions():
            standing = f"{position.state} {plain(position.quantity)}"
            if self.positions.get(position.id) != standing:
                self.positions[position.id] = standing
                yield self._line(_position(position))
        for trade in self._closed():
            if trade.id not in self.trades:
                self.trades.add(trade.id)
                yield self._line(_trade(trade))

    def standing(self) -> str:
        table = self.runner.template.function(CONTROL).environment["SMC_LEDGER_TABLE"]
        run = control_of(table).last_run("reconcile_positions")
        equity = Decimal(str(run.proof["equity"])).quantize(CENT) if run and run.proof.get("equity") else "unknown"
        held = [each for each in ledger_of(table).open_positions() if each.quantity]
        return self._line(
            f"equity {equity} USD, open positions {len(held)}, closed trades {len(self._closed())}, "
            f"signals {len(self.signals)}"
        )

    def _closed(self) -> tuple[Trade, ...]:
        return self.ledger.trades(months(self.runner.progress.start, self.runner.now))

    def _line(self, words: str) -> str:
        return f"{self.runner.now:%Y-%m-%d %H:%M}  {words}"


def _signal(stored: StoredSignal) -> str:
    signal = stored.signal
    levels = signal.levels
    return (
        f"signal {signal.instrument} {levels.side} {signal.setup}, score {signal.score}, "
        f"entry {levels.entry:.6g}, stop {levels.stop:.6g}: {str(stored.state).lower()}"
    )


def _position(position: Position) -> str:
    stop = f", stop {position.stop:.6g}" if position.stop else ""
    held = f"{plain(position.quantity)} {position.instrument} {position.side}"
    return f"position {held} {str(position.state).lower()}{stop}"


def _trade(trade: Trade) -> str:
    net = f"{trade.net:+.2f} USD net, {trade.r_multiple:+.2f} R"
    return f"closed {trade.instrument} {trade.side}: {net}, fees {trade.fees:.2f}, by {trade.exit_reason}"
