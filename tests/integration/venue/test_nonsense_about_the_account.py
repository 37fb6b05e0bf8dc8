"""Bodies that are whole and still nonsense: one wrong field refuses the read by name, and nothing is guessed."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from shared.venue import KrakenRestVenue
from tests.integration.venue import recorded_bodies as bodies
from tests.integration.venue.loopback_venue import LoopbackVenue, Scripted
from tests.integration.venue.recorded_bodies import V3
from trading.errors import VenueAnswerInvalid
from trading.model.venue import OpenOrderKind

ACCOUNT = bodies.ACCOUNTS["accounts"]["flex"]
POSITION: dict[str, Any] = {"side": "long", "symbol": "PF_ETHUSD", "price": 3000, "size": 1}
ORDER: dict[str, Any] = bodies.OPEN_ORDERS["openOrders"][0]
READS: dict[str, Callable[[KrakenRestVenue], object]] = {
    "accounts": lambda venue: venue.account(),
    "openpositions": lambda venue: venue.positions(),
    "openorders": lambda venue: venue.open_orders(),
}
NO_NUMBER: tuple[object, ...] = (None, "NaN", "lots", -1, True, [1])
WRONG: list[tuple[str, str, object]] = [
    *[("accounts", name, value) for name in ("initialMargin", "maintenanceMargin") for value in NO_NUMBER],
    *[("accounts", "marginEquity", value) for value in (None, "NaN", "lots", True)],
    *[("openpositions", name, value) for name in ("price", "size") for value in NO_NUMBER],
    ("openpositions", "price", 0),
    ("openpositions", "maxFixedLeverage", "isolated"),
    *[("openpositions", name, value) for name in ("side", "symbol") for value in (None, True)],
    *[("openorders", name, value) for name in ("unfilledSize", "filledSize") for value in NO_NUMBER],
    *[("openorders", name, value) for name in ("limitPrice", "stopPrice") for value in ("NaN", "lots", True)],
    *[("openorders", "reduceOnly", value) for value in (None, "perhaps")],
    *[("openorders", "receivedTime", value) for value in (None, "yesterday", "2026-11-22T11:00:00")],
]


def answer(path: str, **changes: object) -> dict[str, Any]:
    """The recorded body of this read with fields of its one row changed."""
    if path == "accounts":
        return bodies.success(accounts={"flex": {**ACCOUNT, **changes}})
    if path == "openpositions":
        return bodies.success(openPositions=[{**POSITION, **changes}])
    return bodies.success(openOrders=[{**ORDER, **changes}])


def refused(venue: KrakenRestVenue, path: str) -> str:
    with pytest.raises(VenueAnswerInvalid) as caught:
        READS[path](venue)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(("path", "name", "value"), WRONG)
def test_wrong_field_refuses_the_read_by_name(
    venue: KrakenRestVenue, loopback: LoopbackVenue, path: str, name: str, value: object
) -> None:
    loopback.answer(f"{V3}/{path}", answer(path))
    READS[path](venue)
    loopback.answer(f"{V3}/{path}", answer(path, **{name: value}))
    sentence = refused(venue, path)
    assert sentence.startswith(f"venue answered {path} with ")
    assert f".{name} (" in sentence


@pytest.mark.parametrize(("path", "field"), [("openpositions", "size"), ("openorders", "unfilledSize")])
def test_bare_infinity_is_no_answer(venue: KrakenRestVenue, loopback: LoopbackVenue, path: str, field: str) -> None:
    text = json.dumps(answer(path, **{field: float("inf")}))
    assert "Infinity" in text
    loopback.answer(f"{V3}/{path}", Scripted(text=text))
    assert refused(venue, path).startswith(f"venue answered {path} with ")


@pytest.mark.parametrize(
    ("path", "side", "sentence"),
    [
        ("openpositions", "both", "position in PF_ETHUSD has side 'both'; expected long or short"),
        ("openpositions", "", "position in PF_ETHUSD has side ''; expected long or short"),
        ("openorders", "hold", f"order {ORDER['order_id']} has side 'hold'; expected buy or sell"),
    ],
)
def test_unknown_side_is_refused_by_name(
    venue: KrakenRestVenue, loopback: LoopbackVenue, path: str, side: str, sentence: str
) -> None:
    loopback.answer(f"{V3}/{path}", answer(path, side=side))
    assert refused(venue, path) == sentence


@pytest.mark.parametrize("changes", [{"unfilledSize": None}, {"unfilledSize": ""}])
def test_strangers_order_without_size_hides_no_stop(
    venue: KrakenRestVenue, loopback: LoopbackVenue, changes: dict[str, Any]
) -> None:
    """The venue documents the field as optional: one row of somebody else's decides nothing about ours."""
    stranger = {**ORDER, "order_id": "by-hand", "cliOrdId": None, **changes}
    loopback.answer(f"{V3}/openorders", bodies.success(openOrders=[ORDER, stranger]))
    assert [each.open_quantity for each in venue.open_orders()] == [Decimal("0.05"), 0]
    loopback.answer(f"{V3}/openorders", bodies.success(openOrders=[ORDER, {**stranger, "unfilledSize": -1}]))
    assert "openOrders.1.unfilledSize" in refused(venue, "openorders")


def test_one_bad_row_hides_no_position(venue: KrakenRestVenue, loopback: LoopbackVenue) -> None:
    rows = [POSITION, {**POSITION, "symbol": "PF_XBTUSD", "size": -1}]
    loopback.answer(f"{V3}/openpositions", bodies.success(openPositions=rows))
    assert "openPositions.1.size" in refused(venue, "openpositions")


@pytest.mark.parametrize("leverage", [{}, {"maxFixedLeverage": None}])
def test_cross_position_is_not_called_isolated(
    venue: KrakenRestVenue, loopback: LoopbackVenue, leverage: dict[str, Any]
) -> None:
    loopback.answer(f"{V3}/openpositions", answer("openpositions", **leverage))
    assert [each.isolated for each in venue.positions()] == [False]


@pytest.mark.parametrize("leverage", [5, 1.0, "2", 0])
def test_fixed_leverage_makes_a_position_isolated(
    venue: KrakenRestVenue, loopback: LoopbackVenue, leverage: object
) -> None:
    loopback.answer(f"{V3}/openpositions", answer("openpositions", maxFixedLeverage=leverage))
    assert [each.isolated for each in venue.positions()] == [True]


@pytest.mark.parametrize("nothing", [0, None, ""])
def test_stop_without_trigger_price_shows_none(
    venue: KrakenRestVenue, loopback: LoopbackVenue, nothing: object
) -> None:
    """The venue writes 0 where there is no price: such a stop is listed, and covers nothing."""
    loopback.answer(f"{V3}/openorders", answer("openorders", stopPrice=nothing))
    (order,) = venue.open_orders()
    assert (order.kind, order.trigger_price) == (OpenOrderKind.STOP, None)
