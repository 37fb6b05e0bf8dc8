"""Fill-or-kill, fills after an edit, liquidation by halves, changed terms."""

import pytest

from tests.unit.matching.scripted import COIN, d, engine, fills, market, order, placed, position
from trading.errors import InvalidInput
from trading.matching import EditRequest, EventKind, Liquidity, MarginTier, MatchingEngine, Switches

THIN = market(liquidity=Liquidity(half_spread=d(0), level_size=d(2)))


@pytest.mark.parametrize(
    ("size", "limit", "status", "filled"),
    [(4, "100.2", "placed", 4), (5, "100.2", "iocWouldNotExecute", 0), (1, "99", "iocWouldNotExecute", 0)],
)
def test_fill_or_kill_is_whole_or_nothing(size: int, limit: str, status: str, filled: int) -> None:
    venue = engine((0, 100), (10, 100), listed=THIN)
    assert venue.send(order("fok", "buy", size, limit)).status == status
    assert (position(venue), venue.books.live) == (d(filled), {})


def test_fill_or_kill_needs_a_limit_price() -> None:
    assert engine((0, 100), (10, 100)).send(order("fok", "buy", 1)).status == "invalidPrice"


def test_reducing_fill_or_kill_asks_for_the_position_only() -> None:
    venue = engine((0, 100), (10, 100), listed=THIN)
    placed(venue.send(order("mkt", "buy", 2)))
    assert venue.send(order("fok", "sell", 50, "99.9", reduce_only=True)).status == "placed"
    assert position(venue) == 0


def test_fill_of_an_edited_order_says_so() -> None:
    venue = engine((0, 100), (10, 100))
    order_id = placed(venue.send(order("lmt", "buy", 1, "99")))
    answer = venue.edit(EditRequest(order_id=order_id, limit_price=d("101")))
    assert [event.kind for event in answer.events] == [EventKind.EDIT, EventKind.EXECUTION]
    assert [kind for *_, kind in fills(venue)] == ["takerAfterEdit"]


def crash(switches: Switches) -> MatchingEngine:
    """Long 400 at 100 with 1,000 USD; at 98 the account is below its maintenance margin."""
    venue = engine((0, 100), (1, 100), (11, 97.9), balance="1000", switches=switches)
    placed(venue.send(order("mkt", "buy", 400)))
    venue.advance(venue.now.replace(minute=11))
    return venue


def test_liquidation_goes_by_halves_when_switched_on() -> None:
    venue = crash(Switches(partial_liquidation=True))
    assert [kind for *_, kind in fills(venue)] == ["taker", "partialLiquidation"]
    assert (position(venue), venue.books.liquidations) == (d(200), 1)
    assert venue.margin().equity >= venue.margin().maintenance
    assert {row.info.value for row in venue.books.log if row.fee and row.row_id > 2} == {"futures liquidation"}


def test_liquidation_closes_everything_by_default() -> None:
    venue = crash(Switches())
    assert [kind for *_, kind in fills(venue)] == ["taker", "liquidation"]
    assert position(venue) == 0


def test_changed_terms_hold_for_the_next_order() -> None:
    venue = engine((0, 100), (10, 100))
    placed(venue.send(order("lmt", "buy", "0.01", "99.1")))
    tiers = (MarginTier(from_notional=d(0), initial=d("0.5"), maintenance=d("0.25")),)
    venue.set_terms(COIN, tick_size=d("0.5"), size_step=d(1), margin_tiers=tiers)
    assert venue.send(order("lmt", "buy", "0.01", "99.5")).status == "invalidSize"
    assert venue.send(order("lmt", "buy", 1, "99.1")).status == "invalidPrice"
    assert venue.send(order("lmt", "buy", 300, "99.5")).status == "insufficientAvailableFunds"
    assert len(venue.books.live) == 1
    with pytest.raises(InvalidInput, match="needs tick"):
        venue.set_terms(COIN, tick_size=d(0))


def test_each_side_of_the_book_has_its_own_distance() -> None:
    uneven = Liquidity(half_spread=d("0.001"), level_size=d(10), ask_half_spread=d("0.05"))
    venue = engine((0, 100), (10, 100), listed=market(liquidity=uneven))
    venue.send(order("ioc", "buy", 1, 104))
    assert fills(venue) == []
    placed(venue.send(order("lmt", "buy", 1, 106)))
    placed(venue.send(order("mkt", "sell", 1, reduce_only=True)))
    assert [each[2] for each in fills(venue)] == [d(105), d("99.9")]
    with pytest.raises(InvalidInput, match="-1"):
        Liquidity(half_spread=d(0), level_size=d(10), ask_half_spread=d(-1))
