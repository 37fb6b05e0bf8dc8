"""Properties that hold for any path and any orders: money is conserved, reduce-only reduces, the world is symmetric."""

from dataclasses import dataclass
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.matching.scripted import COIN, at, d, engine, market, order
from trading.matching import Liquidity, MarginTier, MatchingEngine

CENTRE = 100
STEP_MINUTES = 7
OPPOSITE = {"buy": "sell", "sell": "buy"}


@dataclass(frozen=True)
class Action:
    kind: str
    side: str
    size: int
    offset: int
    reduce_only: bool


ACTIONS = st.builds(
    Action,
    kind=st.sampled_from(["lmt", "post", "ioc", "mkt", "stp", "take_profit", "cancel_all"]),
    side=st.sampled_from(["buy", "sell"]),
    size=st.integers(1, 60),
    offset=st.integers(-6, 6),
    reduce_only=st.booleans(),
)
SCRIPTS = st.lists(st.tuples(st.integers(90, 110), ACTIONS), min_size=1, max_size=14)


def play(script: list[tuple[int, Action]], mirrored: bool = False, funding: str = "0.01") -> MatchingEngine:
    """Run a script: at each step send the order, then move to the next price; mirrored flips sides and prices."""

    def price(value: int) -> int:
        return 2 * CENTRE - value if mirrored else value

    steps = enumerate(script, start=1)
    path = [(0.0, CENTRE), *((number * STEP_MINUTES, price(target)) for number, (target, _) in steps)]
    fee = d(0) if funding == "0" else d("0.0005")
    tiers = (MarginTier(from_notional=d(0), initial=d("0.0002"), maintenance=d("0.0001")),)
    book = Liquidity(half_spread=d(0), level_size=d(20), level_spacing=d(0))
    venue = engine(
        *path, listed=market(margin_tiers=tiers, liquidity=book, maker_fee=fee, taker_fee=fee), funding=funding
    )
    here = CENTRE
    for number, (target, action) in enumerate(script, start=1):
        act(venue, action, price(here + action.offset), mirrored)
        venue.advance(at(number * STEP_MINUTES))
        here = target
    return venue


def act(venue: MatchingEngine, action: Action, level: int, mirrored: bool) -> None:
    if action.kind == "cancel_all":
        venue.cancel_all()
        return
    side = OPPOSITE[action.side] if mirrored else action.side
    limit = None if action.kind == "mkt" else level
    venue.send(order(action.kind, side, action.size, limit, reduce_only=action.reduce_only))


@settings(max_examples=60, deadline=None)
@given(SCRIPTS)
def test_equity_is_start_plus_flows_plus_open_profit(script: list[tuple[int, Action]]) -> None:
    venue = play(script)
    cash = sum((-fill.side.sign * fill.size * fill.price - fill.fee for fill in venue.books.fills), Decimal(0))
    held = venue.books.size_of(COIN) * venue.point(COIN).mark
    funding = sum((row.realised_funding or Decimal(0) for row in venue.books.log), Decimal(0))
    expected = d(10000) + cash + held + funding + venue.margin().accrued_funding
    assert abs(venue.equity() - expected) < d("0.000001")
    margin = venue.margin()
    parts = d(10000) + venue.books.realised - venue.books.fees + venue.books.funding + margin.unrealised
    assert abs(margin.equity - margin.accrued_funding - parts) < d("0.000001")


@settings(max_examples=60, deadline=None)
@given(SCRIPTS)
def test_reduce_only_fills_only_ever_reduce(script: list[tuple[int, Action]]) -> None:
    venue = play(script)
    orders = {**venue.books.closed, **venue.books.live}
    for row in venue.books.position_log:
        if orders[row.fill.order_id].reduce_only:
            assert row.change in ("decrease", "close")
    for live in venue.books.live.values():
        if live.reduce_only and live.limit_price is not None and live.state == "ENTERED_BOOK":
            assert live.remaining <= -venue.books.size_of(COIN) * live.side.sign


@settings(max_examples=60, deadline=None)
@given(SCRIPTS)
def test_mirrored_world_makes_the_same_money(script: list[tuple[int, Action]]) -> None:
    plain, mirror = play(script, funding="0"), play(script, mirrored=True, funding="0")
    assert [(OPPOSITE[fill.side.value], fill.size) for fill in plain.books.fills] == [
        (fill.side.value, fill.size) for fill in mirror.books.fills
    ]
    assert abs(plain.equity() - mirror.equity()) < d("0.000001")


@settings(max_examples=60, deadline=None)
@given(SCRIPTS)
def test_no_order_fills_more_than_its_size(script: list[tuple[int, Action]]) -> None:
    venue = play(script)
    filled: dict[str, Decimal] = {}
    for fill in venue.books.fills:
        filled[fill.order_id] = filled.get(fill.order_id, Decimal(0)) + fill.size
    orders = {**venue.books.closed, **venue.books.live}
    assert all(size == orders[name].filled <= orders[name].size for name, size in filled.items())
    assert venue.books.size_of(COIN) == sum((f.side.sign * f.size for f in venue.books.fills), Decimal(0))
