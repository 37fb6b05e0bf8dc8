"""Public spot data of Kraken, behind `trading.ports.SpotMarket` and `TradeHistory`.

A pair is named by its AssetPairs id (`XXBTZUSD`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from shared.venue.asset_codes import common_code
from shared.venue.reading import first_problem, require_received, valid_rows
from shared.venue.spot_bodies import AssetPairRow, OhlcResult, SpotAnswer, SpotTickerRow, TradesResult
from shared.venue.spot_translation import committed_bars, shown_time, trade_page
from shared.venue.transport import DEFAULT_TIMEOUT_S, KRAKEN_SPOT_URL, Wire, spot_wire
from trading.errors import InvalidInput, VenueAnswerInvalid, VenueThrottled, VenueUnavailable
from trading.model.candles import CandleAnswer
from trading.model.times import Timeframe
from trading.model.units import Price
from trading.model.venue import ListedPair, SpotQuote, TradePage
from trading.ports import Clock

OHLC_COLUMNS = ("time", "open", "high", "low", "close", "vwap", "volume")
TRADE_COLUMNS = ("price", "volume", "time")
TRADES_MAX = 1000
"""Trades in a full page, the most that the venue gives."""

ONLINE = "online"

THROTTLED = (
    "EAPI:Ratelimitexceeded",
    "EGeneral:Toomanyrequests",
    "EGeneral:Temporarylockout",
    "EService:Throttled",
)
"""Refusals that mean the rate limit, without their blanks: Kraken writes both `EService:Throttled: <time>` and
`EService: Throttled: <time>`."""

CLOCK_TOLERANCE = timedelta(seconds=60)
"""How far the exchange's clock may run ahead of ours before its answer is taken for nonsense."""

ResultType = TypeVar("ResultType", bound=BaseModel)


class KrakenSpot:
    """No key. `clock` dates the quotes, because the spot ticker carries no time."""

    def __init__(self, *, clock: Clock, base_url: str = KRAKEN_SPOT_URL, timeout_s: float = DEFAULT_TIMEOUT_S) -> None:
        self._clock = clock
        self._wire = spot_wire(base_url=base_url, timeout_s=timeout_s)

    @property
    def wire(self) -> Wire:
        return self._wire

    def pairs(self) -> tuple[ListedPair, ...]:
        result = self._read("public_get_assetpairs", "AssetPairs", {})
        pairs = []
        for pair, row in result.items():
            for valid in valid_rows([row] if isinstance(row, dict) else [], AssetPairRow):
                base, quote = common_code(valid.base), common_code(valid.quote)
                pairs.append(ListedPair(pair=pair, base=base, quote=quote, online=valid.status == ONLINE))
        if result and not pairs:
            raise VenueAnswerInvalid(f"venue lists {len(result)} asset pairs and none of them is valid")
        return tuple(pairs)

    def quotes(self, pairs: Sequence[str]) -> dict[str, SpotQuote]:
        """A pair without a bid or an ask is left out. Dated by the moment before the request: never too young."""
        if not pairs:
            return {}
        at = self._clock.now()
        result = self._read("public_get_ticker", "Ticker", {"pair": ",".join(pairs)})
        quotes = {}
        for pair in pairs:
            row = result.get(pair)
            for valid in valid_rows([row] if isinstance(row, dict) else [], SpotTickerRow):
                if valid.a[0] > 0 and valid.b[0] > 0:
                    quotes[pair] = SpotQuote(pair=pair, bid=Price(valid.b[0]), ask=Price(valid.a[0]), at=at)
        return quotes

    def candles(self, pair: str, timeframe: Timeframe, since: datetime | None) -> CandleAnswer:
        query: dict[str, object] = {"pair": pair, "interval": timeframe.seconds // 60}
        first = 0 if since is None else int(since.timestamp())
        if since is not None:
            # The venue's `since` is exclusive: asking one bar earlier includes the bar that opens at `since`.
            query["since"] = first - timeframe.seconds
        rows = _rows(self._read("public_get_ohlc", "OHLC", query), "OHLC", pair, OHLC_COLUMNS)
        result = _valid(rows, OhlcResult, f"OHLC of {pair}")
        self._require_past(result.last, f"OHLC of {pair}")
        try:
            return committed_bars(timeframe, result, first)
        except InvalidInput as error:
            raise VenueAnswerInvalid(f"venue answered OHLC of {pair} with an invalid bar: {error}") from None

    def trades(self, pair: str, since: int) -> TradePage:
        """The oldest trades after `since`, 1,000 at most. A trade at the very moment of `since` may come or not."""
        query = {"pair": pair, "since": str(since), "count": TRADES_MAX}
        rows = _rows(self._read("public_get_trades", "Trades", query), "Trades", pair, TRADE_COLUMNS)
        result = _valid(rows, TradesResult, f"Trades of {pair}")
        page = trade_page(result, since)
        newest = max((page.next_since, *(trade.at for trade in page.trades[-1:])))
        self._require_past(newest // 10**9, f"Trades of {pair}")
        stuck = page.next_since == since and len(page.trades) >= TRADES_MAX
        if page.next_since < since or stuck:
            raise VenueAnswerInvalid(
                f"venue answered Trades of {pair} since {since} with the next page at {page.next_since}; "
                "expected a later one"
            )
        return page

    def _require_past(self, seconds: int, what: str) -> None:
        """An answer that reaches into the future would make everything up to there look known."""
        newest = self._clock.now() + CLOCK_TOLERANCE
        if seconds > newest.timestamp():
            shown = f"{newest:%Y-%m-%dT%H:%M:%SZ}"
            raise VenueAnswerInvalid(
                f"venue answered {what} up to {shown_time(seconds)}; expected nothing that begins after {shown}"
            )

    def _read(self, method: str, path: str, query: Mapping[str, object]) -> dict[str, object]:
        received = require_received(self._wire.call(method, query), path)
        document = received.document()
        refusals = _refusals(document)
        if refusals:
            error = VenueThrottled if any(map(_means_throttled, refusals)) else VenueUnavailable
            raise error(f"venue refused {path} with HTTP {received.status}: {', '.join(refusals)}")
        if received.status != 200:
            raise VenueUnavailable(f"venue answered {path} with HTTP {received.status}: {received.shown()}")
        if document is None:
            raise VenueAnswerInvalid(f"venue answered {path} with {received.shown()}; expected a JSON object")
        try:
            return SpotAnswer.model_validate(document).result
        except ValidationError as problem:
            shown = received.shown()
            raise VenueAnswerInvalid(f"venue answered {path} with {shown}; expected {first_problem(problem)}") from None


def _refusals(document: dict[str, object] | None) -> list[str]:
    """Errors begin with E; a warning (W) comes with a usable result."""
    errors = document.get("error") if document else None
    return [str(each) for each in errors if not str(each).startswith("W")] if isinstance(errors, list) else []


def _means_throttled(refusal: str) -> bool:
    return refusal.replace(" ", "").startswith(THROTTLED)


def _rows(result: Mapping[str, object], path: str, pair: str, columns: tuple[str, ...]) -> dict[str, object]:
    """The pair's rows with named columns, and `last`."""
    rows = result.get(pair)
    if not isinstance(rows, list):
        raise VenueAnswerInvalid(f"venue answered {path} with the keys {sorted(result)}; expected {pair!r} among them")
    named = [dict(zip(columns, row, strict=False)) if isinstance(row, list) else row for row in rows]
    return {"rows": named, "last": result.get("last")}


def _valid(rows: Mapping[str, object], model: type[ResultType], what: str) -> ResultType:
    try:
        return model.model_validate(rows)
    except ValidationError as error:
        raise VenueAnswerInvalid(f"venue answered {what} invalid; expected {first_problem(error)}") from None
