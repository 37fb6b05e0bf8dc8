"""Public part of Derivatives REST v3: instruments, status, tickers, order book, fees, funding history."""

from datetime import datetime, timedelta
from typing import Any

from infra.local.market import Listing
from infra.local.market.bars import epoch, from_epoch
from infra.local.sandbox.venue import SandboxVenue
from infra.local.sandbox.wire import Response, api_error, invalid_argument, iso, number, success
from trading.matching import Market, MarketStatus, Side
from trading.matching.book import ask, bid, last_price, levels

FEE_SCHEDULE = "723888f7-0a8e-4183-8648-f920a22339e3"

FUNDING_HOURS = 24 * 365


def instruments(venue: SandboxVenue) -> Response:
    """GET /instruments: perpetuals, and dated and inverse contracts that are not for us."""
    now = venue.now
    rows = [_instrument(venue, listing) for listing in venue.source.listings() if listing.contract]
    return success(now, instruments=rows + _other_contracts(rows[0], venue.source.last))


def _instrument(venue: SandboxVenue, listing: Listing) -> dict[str, Any]:
    market = venue.engine.market(listing.contract or "")
    return {
        "symbol": market.symbol,
        "type": "flexible_futures",
        "tickSize": number(market.tick_size),
        "contractSize": 1,
        "tradeable": market.status is not MarketStatus.INACTIVE,
        "impactMidSize": number(market.liquidity.level_size),
        "maxPositionSize": number(market.max_position),
        "openingDate": "2022-03-22T13:15:36Z",
        "marginLevels": [
            {
                "numNonContractUnits": number(tier.from_notional),
                "initialMargin": number(tier.initial),
                "maintenanceMargin": number(tier.maintenance),
            }
            for tier in market.margin_tiers
        ],
        "fundingRateCoefficient": 8,
        "maxRelativeFundingRate": 0.005,
        "isin": "GB00BQ84JX13",
        "contractValueTradePrecision": -market.size_step.adjusted(),
        "postOnly": market.status is MarketStatus.POST_ONLY,
        "feeScheduleUid": FEE_SCHEDULE,
        "mtf": True,
        "base": listing.base,
        "quote": "USD",
        "pair": f"{listing.base}:USD",
        "category": "Layer 1" if listing.tier == "A" else "",
        "tradfi": False,
        "isExpired": False,
    }


def _other_contracts(first: dict[str, Any], end: datetime) -> list[dict[str, Any]]:
    """A dated linear, an inverse perpetual and a dated inverse contract of the first coin."""
    code = str(first["symbol"]).removeprefix("PF_")
    expiry = end + timedelta(days=60)
    dated = {**first, "symbol": f"FF_{code}_{expiry:%y%m%d}", "lastTradingTime": f"{expiry:%Y-%m-%dT08:00:00Z}"}
    for name in ("fundingRateCoefficient", "maxRelativeFundingRate"):
        del dated[name]
    inverse = {
        **first,
        "symbol": f"PI_{code}",
        "type": "futures_inverse",
        "underlying": f"rr_{code.lower()}",
        "contractValueTradePrecision": 0,
        "marginLevels": [
            {"contracts": 0, "initialMargin": 0.02, "maintenanceMargin": 0.01},
            {"contracts": 500000, "initialMargin": 0.04, "maintenanceMargin": 0.02},
        ],
    }
    dated_inverse = {**inverse, "symbol": f"FI_{code}_{expiry:%y%m%d}", "lastTradingTime": dated["lastTradingTime"]}
    return [dated, inverse, dated_inverse]


def instruments_status(venue: SandboxVenue) -> Response:
    """GET /instruments/status: every contract, calm ones too."""
    return success(venue.now, instrumentStatus=[_stress(market) for market in venue.engine.markets.values()])


def _stress(market: Market) -> dict[str, Any]:
    stress = market.stress
    return {
        "tradeable": market.symbol,
        "experiencingDislocation": stress.dislocation is not None,
        "priceDislocationDirection": None if stress.dislocation is None else stress.dislocation.value,
        "experiencingExtremeVolatility": stress.extreme_volatility,
        "extremeVolatilityInitialMarginMultiplier": number(stress.initial_margin_multiplier),
    }


def tickers(venue: SandboxVenue) -> Response:
    """GET /tickers: every perpetual."""
    return success(venue.now, tickers=[_ticker(venue, item) for item in venue.source.listings() if item.contract])


def ticker(venue: SandboxVenue, symbol: str) -> Response:
    """GET /tickers/{symbol}."""
    listing = venue.by_contract.get(symbol.upper())
    if listing is None:
        return api_error(venue.now, "contractNotFound")
    return success(venue.now, ticker=_ticker(venue, listing))


def _ticker(venue: SandboxVenue, listing: Listing) -> dict[str, Any]:
    symbol = listing.contract or ""
    market, point = venue.engine.market(symbol), venue.engine.point(symbol)
    last = last_price(market, point.mark)
    day = venue.source.day(listing.base, venue.now)
    size = number(market.liquidity.level_size)
    rate = venue.source.funding_rate(symbol, venue.now)
    return {
        "symbol": symbol,
        "last": number(last),
        "lastTime": iso(venue.now),
        "lastSize": number(market.size_step),
        "tag": "perpetual",
        "pair": f"{listing.base}:USD",
        "markPrice": number(point.mark),
        "bid": number(bid(market, point.mark)),
        "bidSize": size,
        "ask": number(ask(market, point.mark)),
        "askSize": size,
        "vol24h": round(day.volume, 4),
        "volumeQuote": round(day.volume * float(last), 2),
        "openInterest": number(market.liquidity.level_size * 100),
        "open24h": day.open,
        "high24h": max(day.high, float(last)),
        "low24h": min(day.low, float(last)),
        "fundingRate": number(rate),
        "fundingRatePrediction": number(rate),
        "suspended": market.status is MarketStatus.SUSPENDED,
        "indexPrice": number(point.index),
        "postOnly": market.status is MarketStatus.POST_ONLY,
        "change24h": round((float(last) / day.open - 1) * 100, 2),
    }


def order_book(venue: SandboxVenue, symbol: str) -> Response:
    """GET /orderbook?symbol=."""
    market = venue.engine.markets.get(symbol.upper())
    if market is None:
        return invalid_argument(venue.now, "symbol")
    mark = venue.engine.point(market.symbol).mark
    book = {
        name: [[number(level.price), number(level.size)] for level in levels(market, mark, taker)]
        for name, taker in (("bids", Side.SELL), ("asks", Side.BUY))
    }
    return success(venue.now, orderBook=book)


def fee_schedules(venue: SandboxVenue) -> Response:
    """GET /feeschedules: percentages, as the (deprecated) endpoint gives them."""
    tiers = [
        {"makerFee": 0.02, "takerFee": 0.05, "usdVolume": 0.0},
        {"makerFee": 0.0175, "takerFee": 0.045, "usdVolume": 5000000.0},
    ]
    return success(venue.now, feeSchedules=[{"uid": FEE_SCHEDULE, "name": "MTF Linear Rebate Fees", "tiers": tiers}])


def notifications(venue: SandboxVenue) -> Response:
    """GET /notifications: none."""
    return success(venue.now, notifications=[])


def funding_history(venue: SandboxVenue, symbol: str) -> Response:
    """GET /derivatives/api/v4/historicalfundingrates: hourly, about one year deep."""
    listing = venue.by_contract.get(symbol.upper())
    if listing is None:
        return invalid_argument(venue.now, "symbol")
    last = int(epoch(venue.now)) // 3600
    first = max(last - FUNDING_HOURS, int(-(-epoch(venue.source.first) // 3600)))
    rates = []
    for hour in range(first, last + 1):
        at = from_epoch(hour * 3600)
        rate = venue.source.funding_rate(symbol.upper(), at)
        index = venue.source.quote(symbol.upper(), at).index
        relative = float(f"{rate / index:.12g}")
        rates.append(
            {"timestamp": f"{at:%Y-%m-%dT%H:%M:%SZ}", "fundingRate": number(rate), "relativeFundingRate": relative}
        )
    return success(venue.now, rates=rates)
