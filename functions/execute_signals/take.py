"""New signals through the risk gate, the best first; an approved one is planned, protected and sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from functions.execute_signals.depth import order_books, with_books
from functions.execute_signals.entries import READ_ERRORS, carry_on
from functions.execute_signals.first_orders import intent_of
from functions.execute_signals.report import ExecutionReport, stage, tell_failed
from functions.execute_signals.watch import MarketLook
from shared.storage.ledger import SignalState
from shared.trading_desk import TradingDesk
from trading.errors import StoreConflict, TradingError, VenueUnavailable
from trading.execution.plan import plan_position
from trading.model.control import KillLevel, RiskDay
from trading.model.decisions import Outcome
from trading.model.instruments import Instrument
from trading.model.orders import Purpose
from trading.model.positions import Position
from trading.model.risk import RiskApproved, RiskRefused
from trading.model.signals import Signal, SignalId
from trading.model.times import Timeframe
from trading.model.units import Price
from trading.model.venue import Account, Quote, SpotQuote
from trading.risk.allocation import Idea, allocate, counted_in
from trading.risk.case import Market, Portfolio
from trading.risk.day import implausible, mark_equity
from trading.risk.gate import sentence
from trading.risk.guards import latched, stops_more

EXPIRED_SEEN_FOR = timedelta(minutes=2)
"""How long after its end a signal that nobody took is still looked at, to be settled as expired."""

SWEPT_FOR = timedelta(hours=48)

Answer = RiskApproved | RiskRefused


def take_signals(desk: TradingDesk, look: MarketLook, report: ExecutionReport) -> None:
    """One cycle. Prices and account are read again when they have aged, and when another run planned meanwhile."""
    waiting = _due_signals(desk, report)
    markets = _instruments(desk, waiting, look, report)
    waiting = tuple(each for each in waiting if each.id in markets)
    while waiting:
        # The books before the prices: one that hangs must not age what everybody is judged by.
        books = order_books(desk, [markets[each.id].contract for each in waiting], report)
        portfolio = _portfolio(desk, look)
        ideas = _ideas(desk, [(each, markets[each.id]) for each in waiting], portfolio, report)
        ideas = with_books(desk, ideas, books)
        # Judged by the time at which everything has been read: a slow answer is as old as it took.
        now = desk.clock.now()
        plan = partial(plan_position, rules=desk.rules, code_version=desk.code_version, now=now)
        answers = allocate(ideas, portfolio, desk.rules, now, plan)
        waiting = _carry_out(desk, answers, portfolio, report)
    _settle_forgotten(desk, report)


def _due_signals(desk: TradingDesk, report: ExecutionReport) -> tuple[Signal, ...]:
    """New signals that still live; the expired ones are settled as such."""
    life = Timeframe.M15.length * desk.rules.execution.entry_life_bars
    new = _new_since(desk, desk.now - life - EXPIRED_SEEN_FOR)
    _settle_expired(desk, new, report)
    return tuple(each for each in new if each.expires_at > desk.now)


def _new_since(desk: TradingDesk, since: datetime) -> tuple[Signal, ...]:
    stored = desk.ledger.signals_decided_since(since, desk.now)
    return tuple(each.signal for each in stored if each.state is SignalState.NEW)


def _settle_expired(desk: TradingDesk, signals: Sequence[Signal], report: ExecutionReport) -> None:
    for signal in [each for each in signals if each.expires_at <= desk.now]:
        desk.ledger.settle_signal(signal, SignalState.EXPIRED)
        report.outcomes["EXPIRED"] += 1


def _settle_forgotten(desk: TradingDesk, report: ExecutionReport) -> None:
    """Signals whose end fell into an outage get their outcome too: once an hour all of the last two days are looked at.
    Last of all, because one query an hour of that time is asked, and any may fail."""
    if desk.now - Timeframe.H1.floor(desk.now) >= timedelta(minutes=1):
        return
    try:
        _settle_expired(desk, _new_since(desk, desk.now - SWEPT_FOR), report)
    except READ_ERRORS as error:
        report.failures.append(f"forgotten signals: {error}")


def _instruments(
    desk: TradingDesk, signals: Sequence[Signal], look: MarketLook, report: ExecutionReport
) -> Mapping[SignalId, Instrument]:
    """The markets of these signals by signal; one that left the universe is refused."""
    found = {}
    for signal in signals:
        instrument = look.universe.universe.get(signal.instrument) if look.universe else None
        if instrument is not None:
            found[signal.id] = instrument
            continue
        desk.ledger.settle_signal(signal, SignalState.REFUSED)
        stage(desk, signal, Outcome.NOT_ALLOCATED, f"{signal.instrument} left the universe before its entry.")
        report.outcomes[Outcome.NOT_ALLOCATED] += 1
    return found


def _portfolio(desk: TradingDesk, look: MarketLook) -> Portfolio:
    """The book is read before the records, so that a plan made in between is noticed when ours is written; the account
    after them, so that an entry which fills in between is counted twice rather than nowhere."""
    book, stored = desk.ledger.book(desk.now), desk.control.risk_day()
    positions, shown, orders = desk.ledger.open_positions(), desk.venue.positions(), desk.venue.open_orders()
    account = _account(desk, stored)
    read_at = desk.clock.now()
    return Portfolio(
        account=account,
        positions=positions,
        venue_positions=shown,
        orders=orders,
        quotes=desk.venue.quotes(),
        control=desk.control.control(desk.now),
        risk_day=_marked(desk, stored, account, read_at),
        book=book,
        read_at=read_at,
        contracts_at=look.universe.at if look.universe else None,
        watch=look.watch,
        stress=look.stress,
    )


def _marked(desk: TradingDesk, stored: RiskDay | None, account: Account, now: datetime) -> RiskDay:
    """The day with this equity. Reconcile keeps it; what stops entries is kept at once, before it can be gone again."""
    day = latched(mark_equity(stored, account.equity, now, desk.rules.risk), desk.rules.risk)
    if stops_more(stored, day):
        with suppress(StoreConflict):
            desk.control.save_risk_day(day)
    return day


def _account(desk: TradingDesk, stored: RiskDay | None) -> Account:
    """An equity far from the last one is read once more before anything is concluded from it."""
    account = desk.venue.account()
    if stored is not None and implausible(stored, account.equity, desk.rules.risk):
        return desk.venue.account()
    return account


def _ideas(
    desk: TradingDesk, waiting: Sequence[tuple[Signal, Instrument]], portfolio: Portfolio, report: ExecutionReport
) -> tuple[Idea, ...]:
    """What has a quote of its contract and a spot price; the others are looked at again in a minute."""
    spot = _spot_quotes(desk, [instrument.spot_pair for _, instrument in waiting])
    found = []
    for signal, instrument in waiting:
        market = _market(instrument, portfolio.quotes.get(instrument.contract), spot.get(instrument.spot_pair))
        if market is None:
            report.failures.append(f"{signal.instrument}: no quote of its contract, or neither spot nor index price")
        else:
            found.append(Idea(signal=signal, market=market))
    return tuple(found)


def _spot_quotes(desk: TradingDesk, pairs: Sequence[str]) -> dict[str, SpotQuote]:
    """In one request; when that fails one by one, so that a pair the venue no longer knows hides only itself."""
    try:
        return desk.spot.quotes(pairs)
    except VenueUnavailable:
        found: dict[str, SpotQuote] = {}
        for pair in pairs:
            with suppress(VenueUnavailable):
                found |= desk.spot.quotes((pair,))
        return found


def _market(instrument: Instrument, quote: Quote | None, spot: SpotQuote | None) -> Market | None:
    """Spot mid, or the contract's index price when the spot side has no quote."""
    if quote is None:
        return None
    if spot is not None:
        return Market(instrument=instrument, quote=quote, spot=Price(spot.mid), spot_at=spot.at)
    if quote.index is None:
        return None
    return Market(instrument=instrument, quote=quote, spot=quote.index, spot_at=quote.at)


def _carry_out(
    desk: TradingDesk, answers: Sequence[Answer], portfolio: Portfolio, report: ExecutionReport
) -> tuple[Signal, ...]:
    """Refuse and open in rank order. Returns what must be judged again: all that follows an entry which could not be
    planned or was not taken, and all that is still to come when the prices have aged."""
    fresh_until = portfolio.read_at + timedelta(seconds=desk.rules.risk.quote_maximum_age_s)
    for index, answer in enumerate(answers):
        if index and desk.clock.now() > fresh_until:
            return tuple(each.signal for each in answers[index:])
        report.limits.update(f"{each.reason}:{'passed' if each.passed else 'refused'}" for each in answer.limits)
        rank = f" Number {index + 1} of {len(answers)} by score." if len(answers) > 1 else ""
        if isinstance(answer, RiskRefused):
            _refuse(desk, answer, rank, report)
            continue
        try:
            position = _open(desk, answer, rank, portfolio, report)
            portfolio = counted_in(portfolio, position)
            if _came_to_nothing(position):
                # What the venue has against it may be against the next one too: refusals in a row are a limit.
                return tuple(each.signal for each in answers[index + 1 :])
        except (TradingError, AssertionError) as error:
            # It may have been planned before it failed: those after it must count it.
            report.failures.append(f"{answer.signal.instrument}: {error}")
            return tuple(each.signal for each in answers[index + 1 :])
    return ()


def _refuse(desk: TradingDesk, answer: RiskRefused, rank: str, report: ExecutionReport) -> None:
    desk.ledger.settle_signal(answer.signal, SignalState.REFUSED)
    stage(desk, answer.signal, Outcome.RISK_REFUSED, sentence(answer) + rank, answer.limits)
    report.outcomes[f"{Outcome.RISK_REFUSED}:{answer.reason}"] += 1


def _open(
    desk: TradingDesk, approved: RiskApproved, rank: str, portfolio: Portfolio, report: ExecutionReport
) -> Position:
    signal = approved.signal
    planned = plan_position(approved, desk.rules, desk.code_version, desk.clock.now())
    # Of the switch that its limits were judged by: a pause that came and went since then ends it.
    planned = replace(planned, control_version=portfolio.control.version)
    opened = desk.ledger.open_position(planned, signal, portfolio.book)
    position = carry_on(desk, opened, None, KillLevel.NORMAL)
    entry = intent_of(position, Purpose.ENTRY)
    outcome, text = Outcome.SENT, sentence(approved)
    if _came_to_nothing(position):
        outcome, text = Outcome.FAILED, f"{signal.instrument}: entry {entry.state}, {entry.reason}."
    elif entry.sent_at is None:
        outcome, text = Outcome.PLANNED, f"{text} Its entry is not sent yet."
    stage(desk, signal, outcome, text + rank, approved.limits)
    report.outcomes[outcome] += 1
    if outcome is Outcome.FAILED:
        tell_failed(desk, position, text)
    return position


def _came_to_nothing(position: Position) -> bool:
    entry = intent_of(position, Purpose.ENTRY)
    return entry.state.terminal and not entry.filled
