"""Carry entries on, then take new signals through the risk gate. Every step is recorded before it is taken."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import timedelta

from shared.storage.decisions import StageRecord
from shared.storage.ledger import SignalState
from shared.trading_desk import TradingDesk
from trading.errors import InvalidInput, TradingError, VenueUnavailable
from trading.execution.entries import next_entry_step
from trading.execution.plan import plan_position
from trading.execution.verify import stop_faults
from trading.model.alerts import Alert, AlertKind, Severity
from trading.model.control import KillLevel
from trading.model.decisions import Outcome
from trading.model.instruments import Instrument
from trading.model.orders import IntentState, OrderIntent, Purpose
from trading.model.positions import Position, PositionState
from trading.model.risk import LimitCheck, RiskApproved, RiskRefused
from trading.model.signals import Signal
from trading.model.steps import EntryStepKind
from trading.model.times import Timeframe
from trading.model.units import Price
from trading.risk.case import Market, Portfolio
from trading.risk.day import entry_level, mark_equity
from trading.risk.gate import decide_risk, rank, sentence

ENTRY_ROUNDS = 4
EXPIRED_SEEN_FOR = timedelta(minutes=2)
"""How long after its end a signal that nobody took is still looked at, to be settled as expired."""


@dataclass(slots=True)
class ExecutionReport:
    """What one run did, for the run record, the log and the response."""

    outcomes: Counter[str] = field(default_factory=Counter)
    limits: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)


def execute_signals(desk: TradingDesk) -> ExecutionReport:
    """One run: entries under way first, because they may hold what new signals would need."""
    report = ExecutionReport()
    positions = desk.ledger.open_positions()
    _carry_entries_on(desk, positions, report)
    signals = _due_signals(desk, report)
    if signals:
        _take(desk, signals, report)
    return report


def _carry_entries_on(desk: TradingDesk, positions: tuple[Position, ...], report: ExecutionReport) -> None:
    opening = [each for each in positions if each.entry_open or each.state is PositionState.OPENING]
    closes = desk.market.last_closes(desk.now) if opening else {}
    level = _entry_level(desk) if opening else KillLevel.NO_ENTRIES
    for position in opening:
        try:
            _carry_on(desk, position, closes.get(position.instrument), level)
        except (TradingError, AssertionError) as error:
            report.failures.append(f"{position.instrument}: {error}")


def _entry_level(desk: TradingDesk) -> KillLevel:
    """What entries under way must obey: the switch, or the daily loss halt if that is stricter."""
    return entry_level(desk.control.control(desk.now), desk.control.risk_day(), desk.rules.risk)


def _carry_on(desk: TradingDesk, position: Position, last_close: float | None, level: KillLevel) -> Position:
    """Do the entry's due steps until it has to wait."""
    for _ in range(ENTRY_ROUNDS):
        step = next_entry_step(position, last_close, level, desk.rules, desk.now)
        if step.kind is EntryStepKind.WAIT:
            break
        if step.kind is EntryStepKind.SEND_STOP:
            position = desk.orders.send(position, _intent(position, Purpose.STOP))
        elif step.kind is EntryStepKind.SEND_ENTRY:
            position = _send_entry(desk, position)
        elif step.kind is EntryStepKind.CANCEL_ENTRY:
            return desk.orders.cancel(position, _intent(position, Purpose.ENTRY))
        elif step.kind is EntryStepKind.ABANDON:
            position = desk.orders.abandon(replace(position, close_reason=step.why), step.why)
        else:
            return _finish(desk, position, step.why)
    return position


def _send_entry(desk: TradingDesk, position: Position) -> Position:
    """The stop is read back field by field before the entry may go out."""
    stop = _intent(position, Purpose.STOP)
    faults = stop_faults(stop, position.contract, desk.venue.open_orders())
    if faults:
        return desk.orders.abandon(replace(position, close_reason=faults[0]), faults[0])
    return desk.orders.send(position, _intent(position, Purpose.ENTRY))


def _finish(desk: TradingDesk, position: Position, why: str) -> Position:
    """Nothing was ever filled: take the stop off; reconcile ends the record once the stop is gone."""
    entry = _intent(position, Purpose.ENTRY)
    if entry.state is IntentState.REJECTED and not position.close_reason:
        _stage(desk, position, Outcome.FAILED, f"{position.instrument}: {why}.")
    position = replace(position, close_reason=position.close_reason or why)
    for stop in position.resting(Purpose.STOP):
        if stop.state in (IntentState.LIVE, IntentState.PARTIAL):
            position = desk.orders.cancel(position, stop)
    return position


def _intent(position: Position, purpose: Purpose) -> OrderIntent:
    intent = position.intent(purpose)
    assert intent is not None, f"position {position.id} has no {purpose} intent"
    return intent


def _due_signals(desk: TradingDesk, report: ExecutionReport) -> tuple[Signal, ...]:
    """New signals that still live, best first; the expired ones are settled as such."""
    life = Timeframe.M15.length * desk.rules.execution.entry_life_bars
    stored = desk.ledger.signals_decided_since(desk.now - life - EXPIRED_SEEN_FOR, desk.now)
    new = [each.signal for each in stored if each.state is SignalState.NEW]
    for signal in [each for each in new if each.expires_at <= desk.now]:
        desk.ledger.settle_signal(signal, SignalState.EXPIRED)
        report.outcomes["EXPIRED"] += 1
    return rank(tuple(each for each in new if each.expires_at > desk.now))


def _take(desk: TradingDesk, signals: tuple[Signal, ...], report: ExecutionReport) -> None:
    universe = desk.universe()
    portfolio = _portfolio(desk)
    for signal in signals:
        instrument = universe.get(signal.instrument)
        if instrument is None:
            desk.ledger.settle_signal(signal, SignalState.REFUSED)
            text = f"{signal.instrument} left the universe before its entry."
            _stage(desk, signal, Outcome.NOT_ALLOCATED, text)
            continue
        try:
            portfolio = _take_one(desk, signal, instrument, portfolio, report)
        except InvalidInput as error:
            desk.ledger.settle_signal(signal, SignalState.REFUSED)
            _stage(desk, signal, Outcome.FAILED, f"{signal.instrument}: {error}.")
            report.outcomes[Outcome.FAILED] += 1
        except (TradingError, AssertionError) as error:
            report.failures.append(f"{signal.instrument}: {error}")
            # It may have been planned before it failed: the next signal must count it.
            portfolio = replace(portfolio, book=desk.ledger.book_version(), positions=desk.ledger.open_positions())


def _portfolio(desk: TradingDesk) -> Portfolio:
    book = desk.ledger.book_version()
    account = desk.venue.account()
    day = mark_equity(desk.control.risk_day(), account.equity, desk.now, desk.rules.risk)
    return Portfolio(
        account=account,
        positions=desk.ledger.open_positions(),
        venue_positions=desk.venue.positions(),
        quotes=desk.venue.quotes(),
        control=desk.control.control(desk.now),
        risk_day=day,
        book=book,
    )


def _take_one(
    desk: TradingDesk, signal: Signal, instrument: Instrument, portfolio: Portfolio, report: ExecutionReport
) -> Portfolio:
    """Gate one signal; an approved one is planned, protected and sent. Returns the portfolio with it counted in."""
    market = _market(desk, instrument, portfolio)
    answer = decide_risk(signal, portfolio, market, desk.rules, desk.now)
    report.limits.update(f"{each.reason}:{'passed' if each.passed else 'refused'}" for each in answer.limits)
    if isinstance(answer, RiskRefused):
        desk.ledger.settle_signal(signal, SignalState.REFUSED)
        _stage(desk, signal, Outcome.RISK_REFUSED, sentence(answer), answer.limits)
        report.outcomes[f"{Outcome.RISK_REFUSED}:{answer.reason}"] += 1
        return portfolio
    position = _open(desk, answer, portfolio.book, report)
    return replace(portfolio, book=portfolio.book + 1, positions=(*portfolio.positions, position))


def _market(desk: TradingDesk, instrument: Instrument, portfolio: Portfolio) -> Market:
    """Spot mid, or the contract's index price when the spot side has no quote."""
    quote = portfolio.quotes.get(instrument.contract)
    if quote is None:
        raise VenueUnavailable(f"the venue gave no quote for {instrument.contract}")
    spot = desk.spot.quotes((instrument.spot_pair,)).get(instrument.spot_pair)
    if spot is not None:
        return Market(instrument=instrument, quote=quote, spot=Price(spot.mid), spot_at=spot.at)
    if quote.index is None:
        raise VenueUnavailable(f"neither spot nor index price for {instrument.id}")
    return Market(instrument=instrument, quote=quote, spot=quote.index, spot_at=quote.at)


def _open(desk: TradingDesk, approved: RiskApproved, book: int, report: ExecutionReport) -> Position:
    signal = approved.signal
    planned = plan_position(approved, desk.rules, desk.code_version, desk.now)
    position = _carry_on(desk, desk.ledger.open_position(planned, signal, book), None, KillLevel.NORMAL)
    entry = _intent(position, Purpose.ENTRY)
    outcome = Outcome.FAILED if entry.state.terminal and not entry.filled else Outcome.SENT
    text = (
        sentence(approved) if outcome is Outcome.SENT else f"{signal.instrument}: entry {entry.state}, {entry.reason}."
    )
    _stage(desk, signal, outcome, text, approved.limits)
    report.outcomes[outcome] += 1
    if outcome is Outcome.FAILED:
        _tell_failed(desk, position, text)
    return position


def _tell_failed(desk: TradingDesk, position: Position, text: str) -> None:
    desk.alerts.tell(
        Alert(
            kind=AlertKind.ORDER_FAILED,
            severity=Severity.WARNING,
            subject=position.id,
            title=f"{position.instrument}: entry not placed",
            text=text,
            at=desk.now,
        )
    )


def _stage(
    desk: TradingDesk, origin: Signal | Position, outcome: Outcome, text: str, limits: tuple[LimitCheck, ...] = ()
) -> None:
    """Add to the decision's trace what became of it."""
    bar = origin.decision_bar if isinstance(origin, Signal) else Timeframe.H1.floor(origin.planned_at)
    record = StageRecord(
        instrument=origin.instrument,
        decision_bar=bar,
        outcome=outcome,
        sentence=text,
        at=desk.now,
        details=tuple((each.reason.value, f"{each.value} against {each.bound}") for each in limits),
    )
    desk.decisions.add_stage(record)
