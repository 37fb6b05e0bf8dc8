"""The measured process of the store's subject: loads the series one way, again and again, and prints one JSON line.

`python -m tests.bench.store_loading WAY TABLE COINS COUNT UNTIL RUNS` with WAY `blocks` or `items`. It is a process of
its own so that its memory and CPU are those of a client and nothing else.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from pynamodb.models import Model

from shared.storage.candle_index import SeriesKey
from shared.storage.market_data import MarketDataStore
from shared.storage.tables import MarketDataItem
from tests.bench.candle_item import CandleItem, load_items
from tests.bench.capacity import Meter
from tests.bench.memory import peak_mib
from trading.model.candles import CandleSeries
from trading.model.instruments import InstrumentId
from trading.model.times import Timeframe, from_epoch

Load = Callable[[], Mapping[SeriesKey, CandleSeries]]


def client_of(model: type[Model]) -> Any:
    """The botocore client that a PynamoDB model sends its requests with."""
    return model._get_connection().connection.client


def fingerprint(series: Mapping[SeriesKey, CandleSeries]) -> str:
    """The same for the same bars, whichever way they came."""
    digest = hashlib.sha256()
    for key in sorted(series):
        digest.update(f"{key[0]} {key[1].value} {len(series[key])}".encode())
        for column in series[key].columns:
            digest.update(column.tobytes())
    return digest.hexdigest()


def measure(load: Load, model: type[Model], runs: int) -> dict[str, Any]:
    """`runs` timed loads, and one that is metered (the meter costs CPU itself)."""
    seconds = []
    for _ in range(runs):
        started = time.process_time()
        load()
        seconds.append(time.process_time() - started)
    peak, meter = peak_mib(), Meter()
    meter.listen_to(client_of(model))
    series = load()
    return {
        "cpu_seconds": seconds,
        "peak_mib": peak,
        "requests": meter.requests.total(),
        "read_units": meter.reads,
        "read_bytes": meter.read_bytes,
        "fingerprint": fingerprint(series),
    }


def loading(way: str, table: str, keys: Sequence[SeriesKey], count: int, now: datetime) -> tuple[Load, type[Model]]:
    """What loads the series, and the model it does it with. The connection is made here, outside of what is timed."""
    if way == "blocks":
        store, names = MarketDataStore(table, bars_kept=count), list(dict.fromkeys(coin for coin, _ in keys))
        store.load_series(names[:1], Timeframe, now)
        return lambda: store.load_series(names, Timeframe, now), MarketDataItem
    CandleItem.Meta.table_name = table
    load_items(keys[0], count)
    return lambda: {key: load_items(key, count) for key in keys}, CandleItem


def main(arguments: Sequence[str]) -> None:
    way, table, coins, count, until, runs = arguments
    keys = [(InstrumentId(coin), timeframe) for coin in coins.split(",") for timeframe in Timeframe]
    load, model = loading(way, table, keys, int(count), from_epoch(int(until)))
    print(json.dumps(measure(load, model, int(runs))))


if __name__ == "__main__":
    main(sys.argv[1:])
