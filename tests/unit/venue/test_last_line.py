from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from shared.venue.last_line import EntryCaps, LastLine, caps_of, refusal
from tests.integration.venue.recorded_bodies import order_request
from trading.errors import InvalidInput
from trading.model.orders import OrderType
from trading.model.units import Price, Quantity
from trading.model.venue import refused_for_now
from trading.rules import load_rules

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
CAPS = EntryCaps(order_notional_usd=Decimal(1000), process_before_s=10, call_cost_per_10_s=40)
CLOSING: list[dict[str, Any]] = [
    {"type": OrderType.MARKET, "limit_price": None},
    {"type": OrderType.STOP, "limit_price": None, "trigger_price": Price(1)},
    {"type": OrderType.LIMIT, "quantity": Quantity(10**9)},
    {"contract": "FI_XBTUSD_261225"},
    {"process_before": NOW + timedelta(days=9)},
    {"process_before": NOW - timedelta(days=9)},
]


class StandingClock:
    def now(self) -> datetime:
        return NOW


def entry(**changes: Any) -> Any:
    return order_request(**{"quantity": Quantity("0.01"), "limit_price": Price(100_000), **changes})


@pytest.mark.parametrize("kind", [OrderType.POST, OrderType.LIMIT, OrderType.IMMEDIATE])
def test_entry_at_its_caps_may_go(kind: OrderType) -> None:
    latest = NOW + timedelta(seconds=10)
    assert refusal(entry(type=kind, process_before=latest), CAPS, NOW) is None


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"quantity": Quantity("0.0101")}, "notional is 1010 USD; expected at most 1000"),
        ({"limit_price": Price("100000.01")}, "notional is 1000.0001 USD; expected at most 1000"),
        ({"limit_price": Decimal(0)}, "limit price is 0; expected a number above 0"),
        ({"limit_price": Decimal("NaN")}, "limit price is NaN; expected a number above 0"),
        ({"limit_price": Decimal(-5)}, "limit price is -5; expected a number above 0"),
        ({"quantity": Decimal("Infinity")}, "quantity is Infinity; expected a number above 0"),
        ({"type": OrderType.MARKET, "limit_price": None}, "type is market; expected one with a limit price"),
        (
            {"type": OrderType.STOP, "limit_price": None, "trigger_price": Price(9)},
            "type is stop; expected one with a limit price",
        ),
        ({"contract": "FF_XBTUSD_261225"}, "contract is 'FF_XBTUSD_261225'; expected a linear perpetual"),
        ({"contract": "PI_XBTUSD"}, "contract is 'PI_XBTUSD'; expected a linear perpetual"),
        ({"contract": "pf_xbtusd"}, "contract is 'pf_xbtusd'; expected a linear perpetual"),
        ({"process_before": NOW + timedelta(seconds=10, milliseconds=1)}, "expected within 10 s after 2026-11-22T12"),
        ({"process_before": NOW}, "expected within 10 s after 2026-11-22T12"),
    ],
)
def test_entry_beyond_any_cap_is_refused(changes: dict[str, Any], why: str) -> None:
    found = refusal(entry(**changes), CAPS, NOW)
    assert found is not None
    assert why in found
    assert "\n" not in found


@pytest.mark.parametrize("changes", CLOSING)
@pytest.mark.parametrize("caps", [CAPS, None])
def test_order_that_reduces_is_never_refused(changes: dict[str, Any], caps: EntryCaps | None) -> None:
    assert refusal(order_request(**changes, reduce_only=True), caps, NOW) is None
    assert refusal(order_request(**changes), caps, NOW) is not None


def test_nothing_opens_without_caps() -> None:
    assert refusal(entry(), None, NOW) == "it may open a position and this client has no caps for entries"


def test_spent_budget_holds_entries_but_no_stops() -> None:
    line = LastLine(caps=CAPS, clock=StandingClock())
    line.count("private_get_accounts")
    assert [line.hold_back(entry()) for _ in range(3)] == [None, None, None]
    why = line.hold_back(entry())
    assert why == "not sent: call budget: 32 units were spent in 10 s; expected room in 40"
    assert refused_for_now(why)
    assert line.hold_back(entry(reduce_only=True)) is None
    assert line.hold_back(entry(reduce_only=True)) is None


def test_refusal_by_a_cap_is_no_refusal_for_now() -> None:
    why = LastLine(caps=CAPS, clock=StandingClock()).hold_back(entry(contract="PI_XBTUSD"))
    assert why is not None
    assert not refused_for_now(why)


def test_refused_entry_spends_nothing_of_the_budget() -> None:
    line = LastLine(caps=CAPS, clock=StandingClock())
    assert all(line.hold_back(entry(contract="PI_XBTUSD")) for _ in range(9))
    assert [line.hold_back(entry()) for _ in range(4)] == [None] * 4


def test_caps_are_those_of_the_rules() -> None:
    rules = load_rules('{"execution": {"order_notional_maximum_usd": 250000, "call_cost_per_10_s": 77}}')
    assert caps_of(rules) == EntryCaps(order_notional_usd=Decimal(250_000), process_before_s=10, call_cost_per_10_s=77)


@pytest.mark.parametrize("name", ["order_notional_usd", "process_before_s", "call_cost_per_10_s"])
def test_cap_of_nothing_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match=rf"entry cap {name} is 0; expected above 0"):
        replace(CAPS, **{name: 0})
