"""A universe of many coins with candles and decisions that scoring itself made, on the stores of the emulator."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from datetime import datetime, timedelta
from typing import Any

import boto3

from functions.maintain_records.maintain import Records
from functions.score_setups.score import Scoring, score_due
from shared.progress import INGEST
from shared.storage.quality import QualityStore
from shared.storage.tables import DecisionItem, LedgerItem, MarketDataItem, connection
from tests.fakes.futures_market import FuturesInMemory, a_quote
from tests.fakes.spot_market import SpotInMemory
from tests.integration.operations.conftest import DECISIONS, LEDGER, MARKET, REGION, RULES, World
from tests.unit.control.records import universe
from trading.model.candles import Candle, CandleSeries
from trading.model.folding import fold
from trading.model.instruments import InstrumentId
from trading.model.times import Timeframe, to_text

HOUR = timedelta(hours=1)
TABLES = (MARKET, DECISIONS, LEDGER)


def coins(count: int) -> tuple[InstrumentId, ...]:
    return tuple(InstrumentId(f"COIN{number:03d}") for number in range(count))


def walk(seed: int, until: datetime, bars: int) -> CandleSeries:
    """A seeded walk of 15m bars, the last one closed at `until`."""
    generator, price, found = random.Random(seed), 100.0, []
    first = int(until.timestamp()) - bars * Timeframe.M15.seconds
    for number in range(bars):
        close = max(20.0, price + generator.gauss(0.01, 0.35))
        high, low = max(price, close) + generator.random() / 5, min(price, close) - generator.random() / 5
        opened = first + number * Timeframe.M15.seconds
        found.append(Candle(open_time=opened, open=price, high=high, low=low, close=close, volume=5.0))
        price = close
    return CandleSeries(Timeframe.M15, found)


def fill(world: World, names: tuple[InstrumentId, ...], until: datetime, bars: int) -> None:
    """Replace the universe, and store candles up to `until` for all its coins."""
    world.market.save_universe(universe(*names), until, world.market.universe())
    for seed, name in enumerate(names):
        made = walk(seed, until, bars)
        folded = {timeframe: fold(made, timeframe).last(720) for timeframe in Timeframe}
        world.market.add_history({(name, timeframe): series for timeframe, series in folded.items()}, until)


def score(world: World, names: tuple[InstrumentId, ...], bar: datetime) -> None:
    """As `score_setups` does when the bars of `bar` have landed."""
    world.control.record_run(INGEST, bar, {"watermark": to_text(bar)})
    futures = FuturesInMemory(tickers={f"PF_{name}USD": a_quote(f"PF_{name}USD") for name in names})
    scoring = Scoring(
        futures=futures,
        market=world.market,
        quality=QualityStore(MARKET),
        decisions=world.decisions,
        ledger=world.ledger,
        control=world.control,
        alerts=world.alerts,
        announce=lambda _: None,
        rules=RULES,
        code_version="test",
    )
    assert score_due(scoring, bar + timedelta(seconds=20)).traces == len(names)


def records_of(world: World, now: datetime, **changes: Any) -> Records:
    market = SpotInMemory(history={}, now=now)
    values: dict[str, Any] = {
        "control": world.control,
        "ledger": world.ledger,
        "market_data": world.market,
        "quality": QualityStore(MARKET),
        "spot_for": lambda calls: nullcontext(market),
        "decisions": world.decisions,
        "rules": RULES,
        "code_version": "test",
    }
    return Records(**(values | changes))


def stored_items(bar: datetime, prefix: str) -> dict[str, DecisionItem]:
    """Raw items of a bar by sort key."""
    items = DecisionItem.query(f"BAR#{to_text(bar)}", consistent_read=True)
    return {item.sk: item for item in items if item.sk.startswith(prefix)}


@contextmanager
def counted_requests() -> Iterator[Mapping[str, int]]:
    """How many requests of each operation go to DynamoDB meanwhile."""
    sent: dict[str, int] = {}

    def note(model: Any, **_: Any) -> None:
        sent[model.name] = sent.get(model.name, 0) + 1

    heard = [connection(each).connection.client.meta.events for each in (DecisionItem, LedgerItem, MarketDataItem)]
    for each in heard:
        each.register("before-call.dynamodb", note)
    yield sent
    for each in heard:
        each.unregister("before-call.dynamodb", note)


Tables = dict[str, list[dict[str, Any]]]


def copied() -> Tables:
    """Every item of the three tables."""
    client = boto3.client("dynamodb", region_name=REGION)
    return {name: list(client.get_paginator("scan").paginate(TableName=name).search("Items")) for name in TABLES}


def restored(tables: Tables) -> None:
    """Write copied items into empty tables: building them anew takes seconds."""
    client = boto3.client("dynamodb", region_name=REGION)
    for name, items in tables.items():
        for first in range(0, len(items), 25):
            requests = [{"PutRequest": {"Item": each}} for each in items[first : first + 25]]
            client.batch_write_item(RequestItems={name: requests})
