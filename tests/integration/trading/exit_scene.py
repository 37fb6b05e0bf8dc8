"""What ingestion, scoring and the market watch leave behind for the exits of a held COIN."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import Any

from shared.storage.tables import DecisionItem, LedgerItem, MarketDataItem
from tests.integration.market_data.conftest import listening
from tests.integration.trading.world import World
from tests.unit.exits.exit_cases import shaken, trace, watch
from trading.exits.registry import REGISTRY
from trading.model.candles import Candle, CandleSeries
from trading.model.decisions import Bias
from trading.model.instruments import InstrumentId
from trading.model.positions import Position
from trading.model.times import Timeframe

COIN = InstrumentId("COIN")
NAMES = tuple(name for name, _ in REGISTRY)


def first_target(world: World) -> Position:
    """A position whose first target was reached a while ago, in a later hour than that of its entry, its stop at
    break-even; the mark is at 103."""
    world.open_position()
    to_next_hour(world)
    world.minute(COIN="102.5")
    world.minute(COIN="103")
    position = world.position()
    assert position.first_target_at is not None
    return position


def hours(world: World, *newest: tuple[float, float], name: str = "COIN") -> None:
    """Closed 1h bars up to now, at 100 but for the newest (high, low)."""
    end = int(Timeframe.H1.floor(world.venue.now()).timestamp())
    rows = [(100.5, 99.5)] * (30 - len(newest)) + list(newest)
    bars = [
        Candle(
            open_time=end + 3600 * (number - len(rows)),
            open=low,
            high=high,
            low=low,
            close=(high + low) / 2,
            volume=1.0,
        )
        for number, (high, low) in enumerate(rows)
    ]
    series = {(InstrumentId(name), Timeframe.H1): CandleSeries(Timeframe.H1, bars)}
    world.cloud.market.add_history(series, world.venue.now())


def to_next_hour(world: World) -> None:
    """Ten seconds past it; the price stays."""
    now = world.venue.now()
    world.venue.advance((Timeframe.H1.floor(now) + timedelta(hours=1, seconds=10) - now).total_seconds())


def decided(world: World, daily: Bias = Bias.NEUTRAL, structure: Bias = Bias.NEUTRAL) -> None:
    """The decision of the last full hour."""
    assert world.cloud.decisions.add([trace(world.venue.now(), daily, structure)]) == 1


def in_disorder(world: World) -> None:
    """The last look found the contract's price shaken."""
    now, before = world.venue.now(), world.cloud.watch.read()
    found = watch(now, shaken(now, "PF_COINUSD", minutes=30), version=before.version if before else 0)
    world.cloud.watch.save(found)


def closed_at(world: World, price: float) -> None:
    """The newest 15m bar of the coin."""
    opened = int(Timeframe.M15.floor(world.venue.now()).timestamp()) - Timeframe.M15.seconds
    bar = Candle(open_time=opened, open=price, high=price, low=price, close=price, volume=1.0)
    world.cloud.market.add({(COIN, Timeframe.M15): CandleSeries(Timeframe.M15, [bar])}, world.venue.now())


@contextmanager
def counted() -> Iterator[list[str]]:
    """Every request to DynamoDB while this holds: operation and kind of item."""
    sent: list[str] = []

    def note(params: dict[str, Any], model: Any, **_: Any) -> None:
        values = params.get("ExpressionAttributeValues", {})
        batch = [key for each in params.get("RequestItems", {}).values() for key in each["Keys"]]
        key = params.get("Key") or params.get("Item") or next(iter(batch), None) or {"pk": next(iter(values.values()))}
        sent.append(f"{model.name} {key['pk']['S'].partition('#')[0]}")

    with ExitStack() as stack:
        for item in (MarketDataItem, DecisionItem, LedgerItem):
            stack.enter_context(listening(item, "provide-client-params.dynamodb", note))
        yield sent
