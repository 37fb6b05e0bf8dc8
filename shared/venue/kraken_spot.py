"""Public spot data of Kraken, behind `trading.ports.SpotMarket`. A pair is named by its AssetPairs id (`XXBTZUSD`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from pydantic import ValidationError

from shared.venue.asset_codes import common_code
from shared.venue.reading import first_problem, require_received, valid_rows
from shared.venue.spot_bodies import AssetPairRow, OhlcResult, OhlcRow, SpotAnswer, SpotTickerRow
from shared.venue.transport import DEFAULT_TIMEOUT_S, KRAKEN_SPOT_URL, Wire, spot_wire
from trading.errors import InvalidInput, VenueAnswerInvalid, VenueUnavailable
from trading.model.candles import Candle, CandleSeries
from trading.model.times import Timeframe
from trading.model.units import Price
from trading.model.venue import ListedPair, SpotQuote
from trading.ports import Clock

OHLC_COLUMNS = ("time", "open", "high", "low", "close", "vwap", "volume")
ONLINE = "online"


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

    def candles(self, pair: str, timeframe: Timeframe, since: datetime | None) -> CandleSeries:
        query: dict[str, object] = {"pair": pair, "interval": timeframe.seconds // 60}
        first = 0 if since is None else int(since.timestamp())
        if since is not None:
            # The venue's `since` is exclusive: asking one bar earlier includes the bar that opens at `since`.
            query["since"] = first - timeframe.seconds
        result = _ohlc(self._read("public_get_ohlc", "OHLC", query), pair)
        committed = (row for row in result.rows if first <= row.time <= result.last)
        try:
            return CandleSeries(timeframe, map(_candle, committed))
        except InvalidInput as error:
            raise VenueAnswerInvalid(f"venue answered OHLC of {pair} with an invalid bar: {error}") from None

    def _read(self, method: str, path: str, query: Mapping[str, object]) -> dict[str, object]:
        received = require_received(self._wire.call(method, query), path)
        document = received.document()
        refusals = _refusals(document)
        if refusals:
            raise VenueUnavailable(f"venue refused {path} with HTTP {received.status}: {', '.join(refusals)}")
        if received.status != 200:
            raise VenueUnavailable(f"venue answered {path} with HTTP {received.status}: {received.shown()}")
        if document is None:
            raise VenueAnswerInvalid(f"venue answered {path} with {received.shown()}; expected a JSON object")
        try:
            return SpotAnswer.model_validate(document).result
        except ValidationError as error:
            shown = received.shown()
            raise VenueAnswerInvalid(f"venue answered {path} with {shown}; expected {first_problem(error)}") from None


def _refusals(document: dict[str, object] | None) -> list[str]:
    """Errors begin with E; a warning (W) comes with a usable result."""
    errors = document.get("error") if document else None
    return [str(each) for each in errors if not str(each).startswith("W")] if isinstance(errors, list) else []


def _ohlc(result: dict[str, object], pair: str) -> OhlcResult:
    rows = result.get(pair)
    if not isinstance(rows, list):
        raise VenueAnswerInvalid(f"venue answered OHLC with the keys {sorted(result)}; expected {pair!r} among them")
    named = [dict(zip(OHLC_COLUMNS, row, strict=False)) if isinstance(row, list) else row for row in rows]
    try:
        return OhlcResult.model_validate({"rows": named, "last": result.get("last")})
    except ValidationError as error:
        raise VenueAnswerInvalid(f"venue answered OHLC of {pair} invalid; expected {first_problem(error)}") from None


def _candle(row: OhlcRow) -> Candle:
    return Candle(
        open_time=row.time,
        open=float(row.open),
        high=float(row.high),
        low=float(row.low),
        close=float(row.close),
        volume=float(row.volume),
    )
