"""Futures candles: GET /api/charts/v1/{trade|mark|spot}/{symbol}/{resolution}?from&to&count."""

from datetime import datetime
from typing import Any

from infra.local.market.bars import Bar, epoch, from_epoch
from infra.local.sandbox.venue import SandboxVenue
from infra.local.sandbox.wire import Request, Response, json_response

RESOLUTIONS = {
    "1m": 60,
    "5m": 300,
    "15m": 900,
    "30m": 1800,
    "1h": 3600,
    "4h": 14400,
    "12h": 43200,
    "1d": 86400,
    "1w": 604800,
}
KINDS = ("trade", "mark", "spot")
CANDLES_MAX = 2000


def _bad(message: str) -> Response:
    return Response(status=400, body=message.encode(), content_type="text/plain")


def charts(venue: SandboxVenue, request: Request) -> Response:
    """Answer a request below `/api/charts/v1/`. Mark and trade: spot candles with the basis at their open."""
    parts = request.path.removeprefix("/api/charts/v1/").split("/")
    if len(parts) != 3 or parts[0] not in KINDS:
        return _bad("Invalid tick type")
    listing = venue.by_contract.get(parts[1].upper())
    if listing is None:
        return _bad("Invalid symbol")
    seconds = RESOLUTIONS.get(parts[2])
    if seconds is None:
        return _bad("Invalid resolution")
    parameters = request.parameters()
    first, last = (parameters.get(name, [""])[0] for name in ("from", "to"))
    if any(value and not value.isdigit() for value in (first, last)):
        return _bad("Invalid interval")
    until = min(from_epoch(int(last)), venue.now) if last else venue.now
    until = max(until, venue.source.first)
    bars = venue.source.candles(listing.base, seconds, until, CANDLES_MAX)
    wanted = [bar for bar in bars if not first or bar.time >= int(first)]
    chosen = wanted[:CANDLES_MAX]
    rows = [_candle(venue, parts, bar) for bar in chosen]
    return json_response({"candles": rows, "more_candles": len(wanted) > len(chosen)})


def _candle(venue: SandboxVenue, parts: list[str], bar: Bar) -> dict[str, Any]:
    factor = 1.0
    if parts[0] != "spot":
        point = venue.source.quote(parts[1].upper(), _inside(venue, bar.time))
        factor = float(point.mark / point.index)
    prices = {name: f"{getattr(bar, name) * factor:.12g}" for name in ("open", "high", "low", "close")}
    volume = f"{bar.volume:.11f}" if parts[0] == "trade" else "0"
    return {"time": bar.time * 1000, **prices, "volume": volume}


def _inside(venue: SandboxVenue, seconds: int) -> datetime:
    """The time, or the market's first instant when a long bar begins before it."""
    return from_epoch(max(seconds, epoch(venue.source.first)))
