from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from infra.local.sandbox.limits import derivatives_cost
from shared.venue.call_cost import COSTS, CallCost, cost_of

START = datetime(2026, 11, 22, 12, tzinfo=UTC)


class MovableClock:
    def __init__(self) -> None:
        self.at = START

    def now(self) -> datetime:
        return self.at

    def move(self, seconds: float) -> None:
        self.at = START + timedelta(seconds=seconds)


@pytest.mark.parametrize("name", COSTS)
def test_costs_agree_with_the_sandboxs_accounting(name: str) -> None:
    verb = "post" if name in ("sendorder", "cancelorder") else "get"
    expected = derivatives_cost(verb.upper(), name.replace("_", "/"), paged=False)
    assert cost_of(f"private_{verb}_{name}") == expected > 0


@pytest.mark.parametrize(
    ("method", "parameters", "cost"),
    [
        ("private_get_fills", {"lastFillTime": "2026-11-22T12:00:00Z"}, 25),
        ("private_get_fills", {}, 2),
        ("private_post_cancelallorders", None, 25),
        ("public_get_tickers", None, 0),
        ("history_get_orders", {"count": 1000}, 0),
    ],
)
def test_paging_and_unlisted_calls_are_dear(method: str, parameters: dict[str, object] | None, cost: int) -> None:
    assert cost_of(method, parameters) == cost


def test_spending_stops_at_the_budget_exactly() -> None:
    cost = CallCost(MovableClock())
    assert [cost.spend(10, 40) for _ in range(5)] == [True, True, True, True, False]
    assert cost.spent() == 40
    assert cost.spend(10)
    assert (cost.spent(), cost.spend(1, 50)) == (50, False)


def test_spent_units_come_back_after_ten_seconds() -> None:
    clock = MovableClock()
    cost = CallCost(clock)
    cost.spend(30)
    clock.move(4)
    cost.spend(10)
    clock.move(9.999)
    assert (cost.spent(), cost.spend(1, 40)) == (40, False)
    clock.move(10)
    assert (cost.spent(), cost.spend(30, 40)) == (10, True)


def test_clock_set_back_blocks_no_longer_than_a_window() -> None:
    clock = MovableClock()
    cost = CallCost(clock)
    cost.spend(40)
    clock.move(-3600)
    assert not cost.spend(10, 40)
    clock.move(-3590)
    assert cost.spend(10, 40)


def test_calls_without_a_budget_do_not_pile_up() -> None:
    clock = MovableClock()
    cost = CallCost(clock)
    for second in range(5000):
        clock.move(second)
        assert cost.spend(2)
    assert len(cost._spent) == 10
    assert cost.spent() == 20


def test_threads_together_stay_within_the_budget() -> None:
    cost = CallCost(MovableClock())
    start, went = threading.Barrier(8), []

    def spend() -> None:
        start.wait()
        went.extend(cost.spend(10, 400) for _ in range(20))

    threads = [threading.Thread(target=spend) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert (went.count(True), cost.spent()) == (40, 400)
