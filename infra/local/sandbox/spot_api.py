"""Kraken's spot public API: Time, SystemStatus, Assets, AssetPairs, Ticker, OHLC, Trades."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from email.utils import format_datetime
from typing import Any

from infra.local.market import Listing
from infra.local.market.bars import Bar, epoch, from_epoch
from infra.local.sandbox.venue import SandboxVenue
from infra.local.sandbox.wire import Request, Response, json_response, spot_error

INTERVALS = (1, 5, 15, 30, 60, 240, 1440, 10080, 21600)
ROWS_MAX = 720
TRADES_MAX = 1000
TRADE_SECONDS = 75


def _ok(result: Any) -> Response:
    return json_response({"error": [], "result": result})


class SpotApi:
    """Handlers of `/0/public/...`. Rows of closed bars are formatted once and kept."""

    def __init__(self, venue: SandboxVenue) -> None:
        self._venue = venue
        self._pairs = {listing.pair_id: listing for listing in venue.source.listings() if listing.pair_id}
        self._names = {name: item for key, item in self._pairs.items() for name in (key, item.altname)}
        self._names |= {item.websocket_name: item for item in self._pairs.values()}
        self._rows: dict[tuple[str, int], dict[int, str]] = {}
        self._handlers: dict[str, Callable[[dict[str, list[str]]], Response]] = {
            "Time": self._time,
            "SystemStatus": self._status,
            "Assets": self._assets,
            "AssetPairs": self._asset_pairs,
            "Ticker": self._ticker,
            "OHLC": self._ohlc,
            "Trades": self._trades,
        }

    def answer(self, request: Request) -> Response:
        """Answer a request below `/0/public/`."""
        handler = self._handlers.get(request.path.removeprefix("/0/public/"))
        if handler is None:
            return spot_error("EGeneral:Unknown method")
        return handler(request.parameters())

    def _time(self, _: dict[str, list[str]]) -> Response:
        now = self._venue.now
        return _ok({"unixtime": int(epoch(now)), "rfc1123": format_datetime(now, usegmt=True)})

    def _status(self, _: dict[str, list[str]]) -> Response:
        return _ok({"status": "online", "timestamp": f"{self._venue.now:%Y-%m-%dT%H:%M:%SZ}"})

    def _assets(self, _: dict[str, list[str]]) -> Response:
        assets = {"ZUSD": _asset("USD", 4)}
        for listing in self._pairs.values():
            assets[listing.spot_asset] = _asset("EUR" if listing.base == "EUR" else listing.spot_code, 10)
        return _ok(assets)

    def _asset_pairs(self, parameters: dict[str, list[str]]) -> Response:
        chosen = self._chosen(parameters)
        if chosen is None:
            return spot_error("EQuery:Unknown asset pair")
        return _ok({listing.pair_id: _pair(listing) for listing in chosen})

    def _chosen(self, parameters: dict[str, list[str]]) -> list[Listing] | None:
        """Listings of the `pair` parameter (all when absent), None when one is unknown."""
        names = ",".join(parameters.get("pair", []))
        if not names:
            return list(self._pairs.values())
        found = [self._names.get(name.strip()) for name in names.split(",")]
        return None if None in found else [item for item in found if item is not None]

    def _ticker(self, parameters: dict[str, list[str]]) -> Response:
        chosen = self._chosen(parameters)
        if chosen is None:
            return spot_error("EQuery:Unknown asset pair")
        return _ok({listing.pair_id: self._quote(listing) for listing in chosen})

    def _quote(self, listing: Listing) -> dict[str, Any]:
        venue, places = self._venue, listing.spot_decimals
        price = float(venue.source.spot(listing.base, venue.now))
        day = venue.source.day(listing.base, venue.now)
        half = max(price * 0.0001, 0.5 * 10**-places)
        mean = (day.high + day.low + day.close) / 3
        return {
            "a": [f"{price + half:.{places}f}", "1", "1.000"],
            "b": [f"{price - half:.{places}f}", "1", "1.000"],
            "c": [f"{price:.{places}f}", "0.10000000"],
            "v": [f"{day.volume / 2:.8f}", f"{day.volume:.8f}"],
            "p": [f"{mean:.{places}f}", f"{mean:.{places}f}"],
            "t": [day.trades // 2, day.trades],
            "l": [f"{min(day.low, price):.{places}f}"] * 2,
            "h": [f"{max(day.high, price):.{places}f}"] * 2,
            "o": f"{day.open:.{places}f}",
        }

    def _ohlc(self, parameters: dict[str, list[str]]) -> Response:
        listing = self._names.get(parameters.get("pair", [""])[0])
        if listing is None:
            return spot_error("EQuery:Unknown asset pair")
        interval, since = parameters.get("interval", ["1"])[0], parameters.get("since", ["0"])[0]
        if not interval.isdigit() or int(interval) not in INTERVALS or not since.isdigit():
            return spot_error("EGeneral:Invalid arguments")
        seconds = int(interval) * 60
        bars = list(self._venue.source.candles(listing.base, seconds, self._venue.now))
        if self._venue.wire.missing_bars == "skip":
            bars = [bar for bar in bars[:-1] if bar.trades] + bars[-1:]
        bars = bars[-ROWS_MAX:]
        committed = self._committed(listing, bars, seconds)
        cache = self._rows.setdefault((listing.base, seconds), {})
        rows = [self._row(listing, bar, cache) for bar in bars[:-1] if bar.time >= int(since)]
        rows.append(_format_row(bars[-1], listing.spot_decimals))
        body = f'{{"error":[],"result":{{"{listing.pair_id}":[{",".join(rows)}],"last":{committed}}}}}'
        return Response(body=body.encode())

    def _committed(self, listing: Listing, bars: Sequence[Bar], seconds: int) -> int:
        """Open time of the newest committed bar, before the first one when none is.

        A late pair's closed bar is not committed for a while although its row is there, followed by the running one.
        """
        late = self._venue.spot.conditions.late_s.get(listing.pair_id or "", 0.0)
        due = epoch(self._venue.now) - late
        return next((bar.time for bar in reversed(bars[:-1]) if bar.time + seconds <= due), bars[0].time - seconds)

    @staticmethod
    def _row(listing: Listing, bar: Bar, cache: dict[int, str]) -> str:
        found = cache.get(bar.time)
        if found is None:
            found = cache[bar.time] = _format_row(bar, listing.spot_decimals)
        return found

    def _trades(self, parameters: dict[str, list[str]]) -> Response:
        listing = self._names.get(parameters.get("pair", [""])[0])
        if listing is None:
            return spot_error("EQuery:Unknown asset pair")
        since, count = parameters.get("since", [""])[0], parameters.get("count", [str(TRADES_MAX)])[0]
        if (since and not since.isdigit()) or not count.isdigit():
            return spot_error("EGeneral:Invalid arguments")
        wanted = min(int(count), TRADES_MAX)
        numbers = self._trade_numbers(since, wanted)
        rows = [self._trade(listing, number) for number in numbers]
        last = str(numbers[-1] * TRADE_SECONDS * 10**9) if numbers else since or "0"
        return _ok({listing.pair_id: rows, "last": last})

    def _trade_numbers(self, since: str, wanted: int) -> range:
        """Numbers of the trades to answer: one trade every 75 seconds since 1970."""
        newest = int(epoch(self._venue.now)) // TRADE_SECONDS
        oldest = int(epoch(self._venue.source.first)) // TRADE_SECONDS + 1
        if not since:
            return range(max(newest - wanted + 1, oldest), newest + 1)
        stamp = int(since)
        first = stamp // 10**9 // TRADE_SECONDS + 1 if stamp > 10**12 else stamp // TRADE_SECONDS + 1
        first = max(first, oldest)
        return range(first, min(first + wanted, newest + 1))

    def _trade(self, listing: Listing, number: int) -> list[Any]:
        at = from_epoch(number * TRADE_SECONDS)
        price = self._venue.source.spot(listing.base, at)
        before = self._venue.source.spot(listing.base, max(at - timedelta(seconds=15), self._venue.source.first))
        places = listing.spot_decimals
        return [
            f"{price:.{places}f}",
            f"{1 + number % 7:.8f}",
            float(number * TRADE_SECONDS),
            "b" if price >= before else "s",
            "m",
            "",
            number,
        ]


def _format_row(bar: Bar, places: int) -> str:
    mean = (bar.high + bar.low + bar.close) / 3 if bar.trades else 0.0
    prices = ",".join(f'"{price:.{places}f}"' for price in (bar.open, bar.high, bar.low, bar.close, mean))
    return f'[{bar.time},{prices},"{bar.volume:.8f}",{bar.trades}]'


def _asset(altname: str, decimals: int) -> dict[str, Any]:
    return {
        "aclass": "currency",
        "altname": altname,
        "decimals": decimals,
        "display_decimals": min(decimals, 5),
        "status": "enabled",
    }


def _pair(listing: Listing) -> dict[str, Any]:
    return {
        "altname": listing.altname,
        "wsname": listing.websocket_name,
        "aclass_base": "currency",
        "base": listing.spot_asset,
        "aclass_quote": "currency",
        "quote": "ZUSD",
        "lot": "unit",
        "cost_decimals": 5,
        "pair_decimals": listing.spot_decimals,
        "lot_decimals": 8,
        "lot_multiplier": 1,
        "leverage_buy": [],
        "leverage_sell": [],
        "fees": [[0, 0.4], [10000, 0.35], [50000, 0.24]],
        "fees_maker": [[0, 0.25], [10000, 0.2], [50000, 0.14]],
        "fee_volume_currency": "ZUSD",
        "margin_call": 80,
        "margin_stop": 40,
        "ordermin": f"{max(5.0 / 10 ** max(listing.size_precision, 0), 0.0001):g}",
        "costmin": "0.5",
        "tick_size": f"{10**-listing.spot_decimals:.{listing.spot_decimals}f}",
        "status": "online",
        "long_position_limit": 250,
        "short_position_limit": 200,
    }
