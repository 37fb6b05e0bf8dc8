"""For every limit: a scene one step inside its bound, and one just beyond it where nothing else refuses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from tests.fakes.records import (
    NOW,
    account,
    coin,
    control,
    filled,
    held,
    levels,
    order_of,
    planned,
    quote,
    risk_day,
    rules_with,
    seconds,
    signal,
)
from tests.unit.risk.cases import SCENE, Scene, order_book
from trading.model.book import EntryBook, PlannedEntry
from trading.model.control import KillLevel, LossStreak
from trading.model.disorder import DisorderPause, MarketWatch
from trading.model.instruments import Instrument, InstrumentId, MarginLevel, Side
from trading.model.orders import OrderSide, Purpose
from trading.model.positions import Position
from trading.model.risk import RefusalReason
from trading.model.signals import Regime, Setup
from trading.model.units import BasisPoints, Money, Price, Quantity
from trading.model.venue import OpenOrder, OpenOrderKind
from trading.rules import Rules

R = RefusalReason


@dataclass(frozen=True)
class LimitCase:
    inside: Scene
    beyond: Scene


def risk(**changes: Any) -> Rules:
    """The rules with these numbers of the risk section."""
    return rules_with(_override("risk", changes))


def _override(section: str, changes: dict[str, Any]) -> str:
    parts = ", ".join(f'"{key}": {str(value).lower()}' for key, value in changes.items())
    return f'{{"{section}": {{{parts}}}}}'


NO_COST_GATE = rules_with('{"gates": {"cost_tight": false}}')
NO_OPEN_RISK = risk(open_risk=False)
TEN_COINS = {"inside": coin(minimum=Quantity(10)), "beyond": coin(minimum=Quantity("10.01"))}
"""The smallest order the venue takes, against a cap of ten coins at 100 USD."""


def capped(scene: Scene) -> LimitCase:
    """A scene whose cap allows ten coins: the venue's smallest order fits, or does not."""
    return LimitCase(scene.but(instrument=TEN_COINS["inside"]), scene.but(instrument=TEN_COINS["beyond"]))


def others(count: int, **changes: object) -> tuple[Position, ...]:
    """Open positions in other coins, in another cluster."""
    values: dict[str, object] = {"setup": Setup.TREND, "regime": Regime.WIDE_STRUCTURE, "quantity": Quantity("0.01")}
    return tuple(replace(filled(f"O{number}"), **(values | changes)) for number in range(count))


def levels_of(maintenance: str, initial: str = "0.5") -> tuple[MarginLevel, ...]:
    return (MarginLevel(from_notional=Decimal(0), initial=Decimal(initial), maintenance=Decimal(maintenance)),)


def entries(names: Sequence[str], ago: timedelta, side: Side = Side.SHORT) -> EntryBook:
    return EntryBook(
        version=len(names),
        entries=tuple(PlannedEntry(instrument=InstrumentId(name), side=side, at=NOW - ago) for name in names),
    )


def numbered(count: int) -> list[str]:
    return [f"O{number}" for number in range(count)]


def resting_sale(price: str) -> OpenOrder:
    position = planned()
    intent = position.intent(Purpose.STOP)
    assert intent is not None
    return order_of(
        position, intent, side=OrderSide.SELL, kind=OpenOrderKind.LIMIT, limit_price=Price(price), trigger_price=None
    )


def with_stop(stop: str, instrument: Instrument | None = None) -> Scene:
    halfway = str((Decimal(stop) + 100) / 2)
    return SCENE.but(signal=signal(levels=levels(stop=stop, invalidation=halfway)), instrument=instrument or coin())


def paused(until: timedelta) -> MarketWatch:
    return MarketWatch(pauses=(DisorderPause(contract="PF_COINUSD", until=NOW + until, why="jump"),))


def both_sides(quantity: str) -> tuple[Position, ...]:
    return (planned("O1", quantity=quantity), planned("O2", Side.SHORT, quantity=quantity))


FINE = coin(tick=Decimal("0.01"))
WIDE_SIDE = risk(open_risk=False, side_notional_pct=300)
TWO_IN_A_COIN = risk(maximum_positions_per_instrument=2)
STREAK = risk_day(streaks=(LossStreak(regime=Regime.TIGHT_SMC, losses=0, paused_until=NOW + seconds(1)),))
IN_CLUSTER = {"setup": Setup.ORDER_BLOCK, "regime": Regime.TIGHT_SMC}
LOADED = replace(filled("O1", quantity=Quantity(190)), market=coin("O1", margin_levels=levels_of("0.5")))
HELD = filled("O1")

CASES: dict[RefusalReason, LimitCase] = {
    R.KILL_LEVEL: LimitCase(SCENE, SCENE.but(control=control(KillLevel.NO_ENTRIES))),
    R.SIGNAL_EXPIRED: LimitCase(
        SCENE.but(signal=signal(expires_at=NOW + seconds(0.001))), SCENE.but(signal=signal(expires_at=NOW))
    ),
    R.LEVELS: LimitCase(SCENE.but(instrument=coin(tick=Decimal("2.5"))), SCENE.but(instrument=coin(tick=Decimal(4)))),
    R.MARKET_CLOSED: LimitCase(SCENE, SCENE.but(quote=quote(suspended=True))),
    R.MARKET_DISORDER: LimitCase(SCENE.but(watch=paused(seconds(0))), SCENE.but(watch=paused(seconds(1)))),
    R.CONTRACT_AGE: LimitCase(
        SCENE.but(contracts_at=NOW - timedelta(hours=24)), SCENE.but(contracts_at=NOW - timedelta(hours=24, seconds=1))
    ),
    R.CLOCK_SKEW: LimitCase(SCENE.but(read_at=NOW + seconds(2)), SCENE.but(read_at=NOW + seconds(2.001))),
    R.QUOTE_AGE: LimitCase(SCENE.but(spot_at=NOW - seconds(10)), SCENE.but(spot_at=NOW - seconds(10.001))),
    R.QUOTE_COMPLETE: LimitCase(SCENE, SCENE.but(quote=quote(hourly_funding=None))),
    R.EQUITY_AGE: LimitCase(
        SCENE.but(account=account(at=NOW - seconds(60)), read_at=NOW - seconds(60)),
        SCENE.but(account=account(at=NOW - seconds(61)), read_at=NOW - seconds(61)),
    ),
    R.EQUITY_JUMP: LimitCase(
        SCENE.but(day=risk_day(last_equity=Money("5000.01"))), SCENE.but(day=risk_day(last_equity=Money(5000)))
    ),
    R.BASIS: LimitCase(SCENE.but(quote=quote(mark="100.75")), SCENE.but(quote=quote(mark="100.76"))),
    R.ENTRY_COLLAR: LimitCase(
        SCENE.but(signal=signal(levels=levels(entry="98.5")), instrument=FINE),
        SCENE.but(signal=signal(levels=levels(entry="98.49", invalidation="98.2")), instrument=FINE),
    ),
    R.STOP_MINIMUM: LimitCase(with_stop("99.9", FINE), with_stop("99.91", FINE)),
    R.STOP_MAXIMUM: LimitCase(with_stop("85"), with_stop("84.9")),
    R.SPREAD: LimitCase(
        SCENE.but(quote=quote(bid=Price("99.75"), ask=Price("100.25")), rules=NO_COST_GATE),
        SCENE.but(quote=quote(bid=Price("99.75"), ask=Price("100.26")), rules=NO_COST_GATE),
    ),
    R.FEES: LimitCase(
        SCENE.but(instrument=coin(taker_fee=BasisPoints(100)), rules=NO_COST_GATE),
        SCENE.but(
            instrument=coin(taker_fee=BasisPoints(31)),
            rules=rules_with('{"gates": {"cost_tight": false}, "risk": {"fee_maximum_bps": 30}}'),
        ),
    ),
    R.COST: LimitCase(
        SCENE.but(instrument=coin(taker_fee=BasisPoints(20))),
        SCENE.but(instrument=coin(taker_fee=BasisPoints("20.01"))),
    ),
    R.FUNDING: LimitCase(
        SCENE.but(signal=signal(setup=Setup.TREND), quote=quote(hourly_funding=Decimal("0.00004166"))),
        SCENE.but(signal=signal(setup=Setup.TREND), quote=quote(hourly_funding=Decimal("0.00004167"))),
    ),
    R.DAILY_LOSS: LimitCase(
        SCENE.but(account=account("9500.01"), rules=NO_OPEN_RISK), SCENE.but(account=account(9500), rules=NO_OPEN_RISK)
    ),
    R.LOSS_STREAK: LimitCase(SCENE.but(now=NOW + seconds(1), day=STREAK), SCENE.but(day=STREAK)),
    # The trade itself loses 49.98 at its stop: 350.02 is left of the 4 %.
    R.OPEN_RISK: LimitCase(
        SCENE.but(positions=(planned("O1", quantity="175.01", cost_bps=Decimal(0)),), rules=risk(daily_loss_pct=4)),
        SCENE.but(positions=(planned("O1", quantity="175.02", cost_bps=Decimal(0)),), rules=risk(daily_loss_pct=4)),
    ),
    R.POSITIONS: LimitCase(SCENE.but(positions=others(7)), SCENE.but(positions=others(8))),
    R.CLUSTER_POSITIONS: LimitCase(
        SCENE.but(positions=others(2, **IN_CLUSTER)), SCENE.but(positions=others(3, **IN_CLUSTER))
    ),
    R.INSTRUMENT_POSITIONS: LimitCase(SCENE.but(positions=others(1)), SCENE.but(positions=(planned(),))),
    R.UNRECORDED_POSITIONS: LimitCase(
        SCENE.but(positions=(HELD,), venue_positions=(held(HELD),)),
        SCENE.but(positions=(HELD,), venue_positions=(held(HELD, "10.01"),)),
    ),
    R.ISOLATED_MARGIN: LimitCase(
        SCENE.but(positions=(HELD,), venue_positions=(held(HELD),)),
        SCENE.but(positions=(HELD,), venue_positions=(held(HELD, isolated=True),)),
    ),
    R.SELF_MATCH: LimitCase(SCENE.but(orders=(resting_sale("100.1"),)), SCENE.but(orders=(resting_sale("100"),))),
    R.ENTRIES_PER_MINUTE: LimitCase(
        SCENE.but(book=entries(numbered(5), seconds(59))), SCENE.but(book=entries(numbered(6), seconds(59)))
    ),
    R.ENTRIES_PER_DAY: LimitCase(
        SCENE.but(book=entries(numbered(59), timedelta(hours=23))),
        SCENE.but(book=entries(numbered(60), timedelta(hours=23))),
    ),
    R.ENTRIES_PER_COIN: LimitCase(
        SCENE.but(book=entries(["COIN"] * 2, timedelta(hours=23))),
        SCENE.but(book=entries(["COIN"] * 3, timedelta(hours=23))),
    ),
    R.REPEATED_ENTRY: LimitCase(
        SCENE.but(book=entries(["COIN"], timedelta(minutes=60), Side.LONG)),
        SCENE.but(book=entries(["COIN"], timedelta(minutes=59, seconds=59), Side.LONG)),
    ),
    R.MINIMUM_SIZE: LimitCase(
        SCENE.but(instrument=coin(minimum=Quantity("23.80"))), SCENE.but(instrument=coin(minimum=Quantity("23.81")))
    ),
    R.TIER_NOTIONAL: capped(
        SCENE.but(rules=risk(notional_pct_tier_a=10, notional_pct_tier_b=10, notional_pct_tier_c=10))
    ),
    R.TIER_NOTIONAL_USD: capped(
        SCENE.but(rules=risk(notional_usd_tier_a=1000, notional_usd_tier_b=1000, notional_usd_tier_c=1000))
    ),
    R.LEVERAGE: capped(SCENE.but(rules=risk(leverage_tier_a="0.1", leverage_tier_b="0.1", leverage_tier_c="0.1"))),
    R.VENUE_MAXIMUM: LimitCase(
        SCENE.but(positions=(planned(),), instrument=coin(maximum_position=Quantity("10.01")), rules=TWO_IN_A_COIN),
        SCENE.but(positions=(planned(),), instrument=coin(maximum_position=Quantity(10)), rules=TWO_IN_A_COIN),
    ),
    R.VOLUME_SHARE: capped(SCENE.but(quote=quote(volume_usd=Decimal(1_000_000)))),
    R.DEPTH: capped(SCENE.but(order_book=order_book(bids=20))),
    R.SINGLE_MARGIN: capped(SCENE.but(rules=risk(margin_single_pct="0.2"))),
    R.AVAILABLE_MARGIN: capped(
        SCENE.but(account=account(available_margin=Money(40)), rules=risk(margin_available_pct=50))
    ),
    R.GROSS_NOTIONAL: LimitCase(
        SCENE.but(positions=both_sides("138.1"), rules=NO_OPEN_RISK),
        SCENE.but(positions=both_sides("138.11"), rules=NO_OPEN_RISK),
    ),
    R.SIDE_NOTIONAL: LimitCase(
        SCENE.but(positions=(planned("O1", quantity="176.2"),), rules=NO_OPEN_RISK),
        SCENE.but(positions=(planned("O1", quantity="176.21"),), rules=NO_OPEN_RISK),
    ),
    R.LIQUIDATION_BUFFER: LimitCase(
        SCENE.but(positions=(replace(LOADED, quantity=Quantity(190)),), rules=WIDE_SIDE),
        SCENE.but(positions=(replace(LOADED, quantity=Quantity(195)),), rules=WIDE_SIDE),
    ),
    R.LIQUIDATION_DISTANCE: LimitCase(
        SCENE.but(account=account(maintenance_margin=Money(9_880))),
        SCENE.but(account=account(maintenance_margin=Money(9_930))),
    ),
}
