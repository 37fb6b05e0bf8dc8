"""Whole accounts, markets and signals for property tests: mostly sound, so that many are approved, each with flaws."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from itertools import combinations
from typing import Any

from hypothesis import strategies as st

from tests.fakes.records import NOW, account, coin, control, held, order_of, planned, risk_day, seconds, signal
from tests.unit.risk.cases import Scene
from tests.unit.risk.dice import Dice, dice
from tests.unit.risk.drawn_books import order_book
from trading.model.book import EntryBook, PlannedEntry
from trading.model.control import KillLevel, LossStreak
from trading.model.depth import OrderBook
from trading.model.disorder import DisorderPause, MarketWatch
from trading.model.instruments import Instrument, InstrumentId, MarginLevel, Side, Tier
from trading.model.orders import IntentState, OrderSide, Purpose
from trading.model.positions import Position, PositionState
from trading.model.signals import Levels, Regime, Setup, Signal
from trading.model.units import BasisPoints, Money, Price, Quantity
from trading.model.venue import Account, ContractStress, OpenOrder, OpenOrderKind, Quote, VenuePosition

COUNTS = st.sampled_from([0, 1, 2, 3, 4, 5, 6, 7, 1, 2, 3, 4, 5, 6, 7, 8, 9])
SIDES, SETUPS = tuple(Side), tuple(Setup)
RATES = [Decimal(each) for each in ("0.02", "0.05", "0.1", "0.4", "1")]
EQUITIES = [Decimal(each) for each in (*[10_000] * 8, *[300_000] * 5, 20_000_000, 250, 250, 3, 0, -40)]
BOOKED = [*(f"B{number}" for number in range(12)), "S0", "S1"]
STARTS = [Decimal(each) for each in (800, 4_000, 15_000, 90_000)]


def _ladder(starts: tuple[Decimal, ...], rates: tuple[Decimal, ...]) -> tuple[MarginLevel, ...]:
    return tuple(
        MarginLevel(from_notional=start, initial=rate, maintenance=rate / 2)
        for start, rate in zip((Decimal(0), *starts), rates, strict=True)
    )


LADDERS = [
    _ladder(starts, rates)
    for count in range(4)
    for rates in combinations(RATES, count + 1)
    for starts in combinations(STARTS, count)
]
"""All ways to put 1-4 margin levels together from these starts (USD) and rates."""
CHEAP = [each for each in LADDERS if each[0].initial <= Decimal("0.05")]


@dataclass(frozen=True)
class Traded:
    """A coin with its ticker and its order book; `spot` in USD."""

    instrument: Instrument
    quote: Quote
    spot: Decimal
    order_book: OrderBook | None


def traded(rolled: Dice, name: str) -> Traded:
    """A coin at any price, on any grid, with any margin levels and fees, and what is quoted of it."""
    mark = Decimal(100 + rolled.roll(900)).scaleb(rolled.roll(9) - 5)
    digits = mark.adjusted()
    maker, taker = rolled.pick([(2, 5), (2, 5), (2, 5), (0, 0), (-1, 4), (1, 3), (10, 12), (-30, 31), (2, 100)])
    instrument = coin(
        name,
        tick=Decimal(1).scaleb(digits - rolled.pick([4, 5, 6, 3, 2])),
        step=Decimal(1).scaleb(rolled.pick([-2, -1, 0, 1]) - digits),
        minimum=Quantity(Decimal(1).scaleb(rolled.pick([-2, -1, 0, 1]) - digits)),
        maximum_position=Quantity(rolled.number(10**7, 10**7, 9_000, 40).scaleb(1 - digits)),
        margin_levels=rolled.pick(LADDERS if rolled.seldom(3) else CHEAP),
        maker_fee=BasisPoints(maker),
        taker_fee=BasisPoints(taker),
        tier=rolled.pick(list(Tier)),
    )
    spot = mark * (1 + rolled.between("-0.005", "0.005") * (2 if rolled.seldom(8) else 1))
    ticker = _quote(rolled, instrument.contract, mark)
    return Traded(instrument, ticker, spot, order_book(rolled, instrument.contract, mark))


def _quote(rolled: Dice, contract: str, mark: Decimal) -> Quote:
    half = mark * rolled.number("0.0001", 0, "0.0002", "0.0005", "0.003") / 2
    whole = Quote(
        contract=contract,
        mark=Price(mark),
        index=Price(mark),
        bid=Price(mark - half),
        ask=Price(mark + half),
        volume_usd=rolled.number(*[10**10] * 9, *[6_000_000] * 5, 90_000, 0, -5),
        hourly_funding=rolled.number(0, "0.00001", "-0.00003", "0.00004", "0.0002"),
        suspended=False,
        post_only=False,
        at=NOW,
    )
    flaws: list[dict[str, Any]] = [
        {"bid": None},
        {"ask": None},
        {"hourly_funding": None},
        {"index": None},
        {"suspended": True},
        {"post_only": True},
        {"at": NOW - seconds(11)},
        {"bid": Price(mark * 2)},
    ]
    return replace(whole, **rolled.pick(flaws)) if rolled.seldom(20) else whole


def ladder(rolled: Dice, around: Decimal, side: Side) -> Levels:
    """Levels near this price; most stops 0.3 to 6 % away, a few anywhere."""
    entry = around * (1 - side.sign * rolled.between("-0.001", "0.016" if rolled.seldom(5) else "0.009"))
    away = rolled.between("0.0004", "0.19") if rolled.seldom(9) else rolled.between("0.003", "0.06")
    distance = entry * away * side.sign
    prices = [Price(entry + distance * each) for each in (Decimal(-1), Decimal("-0.6"), 0, Decimal("1.6"), 3)]
    return Levels(
        side=side, stop=prices[0], invalidation=prices[1], entry=prices[2], target_1=prices[3], target_2=prices[4]
    )


def idea(rolled: Dice, market: Traded, **changes: Any) -> Signal:
    setup, levels = rolled.pick(SETUPS), ladder(rolled, market.spot, rolled.pick(SIDES))
    late = {"expires_at": NOW} if rolled.seldom(40) else {}
    return signal(market.instrument.id, setup, levels=levels, **late, **changes)


LIFE = (
    (IntentState.FILLED, "1", PositionState.PROTECTED),
    (IntentState.FILLED, "0.5", PositionState.PROTECTED),
    (IntentState.LIVE, "0", PositionState.OPENING),
    (IntentState.PLANNED, "0", PositionState.OPENING),
    (IntentState.SENDING, "0", PositionState.OPENING),
    (IntentState.UNKNOWN, "0", PositionState.OPENING),
    (IntentState.PARTIAL, "0.4", PositionState.UNPROTECTED),
    (IntentState.CANCEL_PENDING, "0.7", PositionState.PROTECTED),
    (IntentState.FILLED, "1", PositionState.CLOSING),
    (IntentState.CANCELLED, "0", PositionState.OPENING),
    (None, "1", PositionState.FOREIGN),
)
"""Every state of a record: what its entry is, how much of the plan it holds."""


def record(rolled: Dice, market: Traded, equity: Decimal) -> Position:
    """A record of our own in any state, worth up to 70 % of the equity."""
    side, (entry_state, share, state) = rolled.pick(SIDES), rolled.pick(LIFE)
    worth = rolled.between("0.01", "0.7" if rolled.seldom(4) else "0.15")
    size = Quantity(max(equity, Decimal(50)) * worth / market.quote.mark)
    levels, setup = ladder(rolled, market.quote.mark, side), rolled.pick(SETUPS)
    position = planned(
        market.instrument.id,
        side,
        size,
        levels=levels,
        market=market.instrument,
        setup=setup,
        regime=setup.regime,
        cost_bps=rolled.number(0, 20),
    )
    intents = tuple(
        replace(each, state=entry_state or each.state) if each.purpose is Purpose.ENTRY else each
        for each in position.intents
        if entry_state is not None or each.purpose is not Purpose.ENTRY
    )
    stop = levels.entry if rolled.seldom(3) else levels.stop
    return replace(position, intents=intents, state=state, quantity=Quantity(size * Decimal(share)), stop=stop)


def _at_the_venue(rolled: Dice, position: Position) -> VenuePosition:
    """What the venue shows of a record: mostly the same."""
    shown = held(position, position.quantity)
    if not rolled.seldom(60):
        return shown
    wrong = replace(shown, side=position.side.opposite), replace(shown, isolated=True)
    return rolled.pick([*wrong, replace(shown, quantity=Quantity(10**9))])


def _account(rolled: Dice, positions: tuple[Position, ...], equity: Decimal) -> Account:
    """Margins as the venue would count what is filled; sometimes more is in use than we know of."""
    filled = [(each, each.quantity * each.levels.entry) for each in positions]
    initial = sum((size * each.market.margin_level(size).initial for each, size in filled), Decimal(0))
    maintenance = sum((size * each.market.margin_level(size).maintenance for each, size in filled), Decimal(0))
    taken = max(equity, Decimal(0)) * rolled.between("0", "1") if rolled.seldom(6) else Decimal(0)
    return account(
        equity,
        available_margin=Money(equity - initial - taken),
        initial_margin=Money(initial + taken),
        maintenance_margin=Money(maintenance + taken / 2),
        at=NOW - seconds(61) if rolled.seldom(60) else NOW,
    )


def _history(rolled: Dice, equity: Decimal) -> dict[str, Any]:
    """The risk day, the book of entries, pauses and the switch."""
    lost = rolled.between("0", "0.07") if rolled.seldom(6) else Decimal(0)
    streak = LossStreak(regime=Regime.TIGHT_SMC, losses=0, paused_until=NOW + seconds(5))
    agos = (timedelta(hours=3), timedelta(hours=23), timedelta(seconds=40), timedelta(minutes=30))
    entries = tuple(
        PlannedEntry(instrument=InstrumentId(rolled.pick(BOOKED)), side=rolled.pick(SIDES), at=NOW - ago)
        for ago in [rolled.pick(agos) for _ in range(rolled.pick([0, 1, 3, 6, 9]))]
    )
    pause = DisorderPause(contract="PF_S0USD", until=NOW + seconds(9), why="jump")
    changes: list[dict[str, Any]] = [
        {"watch": MarketWatch(pauses=(pause,))},
        {"control": control(KillLevel.NO_ENTRIES)},
        {"contracts_at": NOW - timedelta(hours=25)},
        {"read_at": NOW + seconds(3)},
    ]
    return {
        "day": risk_day(
            peak_equity=Money(equity * (1 + lost)),
            last_equity=Money(equity * (rolled.number("1.99", 2, "0.4") if rolled.seldom(10) else 1)),
            halted_on=NOW.date() if rolled.seldom(40) else None,
            streaks=(streak,) if rolled.seldom(15) else (),
        ),
        "book": EntryBook(version=len(entries), entries=entries),
        **(rolled.pick(changes) if rolled.seldom(15) else {}),
    }


def _working(rolled: Dice, market: Traded) -> tuple[OpenOrder, ...]:
    """An order of this account near the price, of either side."""
    if not rolled.seldom(8):
        return ()
    position, side = planned(market.instrument.id), rolled.pick(list(OrderSide))
    price = Price(market.quote.mark * (1 + rolled.between("-0.02", "0.02")))
    made = {"kind": OpenOrderKind.LIMIT, "limit_price": price, "trigger_price": None}
    return (order_of(position, position.intents[0], side=side, **made),)


@st.composite
def scenes(draw: st.DrawFn, coins: int = 1) -> tuple[Scene, tuple[Traded, ...]]:
    """One account with 0 to 9 records, and the coins `S0`, `S1` ... that signals may come for; the scene's own
    signal is for the first of them."""
    whole = draw(dice)
    equity = whole.pick(EQUITIES)
    markets = tuple(traded(draw(dice), f"S{number}") for number in range(coins))
    names = [f"O{number}" for number in range(draw(COUNTS))]
    if names and whole.seldom(15):
        names[0] = "S0"
    rolls = [draw(dice) for _ in names]
    owned = [markets[0] if name == "S0" else traded(roll, name) for name, roll in zip(names, rolls, strict=True)]
    positions = tuple(record(draw(dice), each, equity) for each in owned)
    tickers = {each.quote.contract: each.quote for each in (*owned, *markets)}
    first = markets[0]
    scene = Scene(
        signal=idea(whole, first),
        instrument=first.instrument,
        account=_account(whole, positions, equity),
        quote=first.quote,
        spot=first.spot,
        order_book=first.order_book,
        positions=positions,
        venue_positions=tuple(_at_the_venue(whole, each) for each in positions if each.quantity),
        other_quotes=tuple(each for each in tickers.values() if each is not first.quote and not whole.seldom(40)),
        orders=_working(whole, first),
        stress=tuple(_stress(whole, each) for each in tickers if whole.seldom(6)),
        **_history(draw(dice), equity),
    )
    return scene, markets


def _stress(rolled: Dice, contract: str) -> ContractStress:
    return ContractStress(
        contract=contract, dislocated=False, extreme_volatility=True, margin_multiplier=rolled.number("1.5", 4)
    )
