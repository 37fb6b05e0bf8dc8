"""Contracts in paper mode: what is listed, and how the matching core sees a contract at a look and on the way to it."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from shared.storage.paper_books import SeenPrice
from shared.venue.paper_prices import UNQUOTED_DISTANCE, PathBetweenLooks
from trading.errors import InvalidInput, VenueUnavailable
from trading.matching import Liquidity, MarginTier, Market, MarketStatus, Stress
from trading.model.venue import ContractStress, ListedContract
from trading.ports import Clock, FuturesMarket

LEVEL_USD = Decimal(10_000)
"""Tickers do not tell the depth: each of the ten levels a side is taken to hold so much."""
UNLISTED_GRID = Decimal("1e-8")
TERMS_KEPT = timedelta(hours=1)
ASKED_AGAIN_AFTER = timedelta(minutes=1)
logger = logging.getLogger(__name__)


class ContractTerms:
    """Steps, margin and fees of the contracts; asked for once an hour in each process, and sooner for one not found."""

    def __init__(self, market: FuturesMarket, clock: Clock) -> None:
        self._market = market
        self._clock = clock
        self._known: dict[str, ListedContract] = {}
        self._asked_at: datetime | None = None
        self._read_at: datetime | None = None

    def of(self, contract: str) -> ListedContract | None:
        """None for a contract that the venue does not list. What was listed once in this process stays known: whether
        it is traded is the ticker's to say. Raises VenueUnavailable for one that is not known yet."""
        if self._is_due(contract):
            self._ask(contract)
        return self._known.get(contract)

    def _is_due(self, contract: str) -> bool:
        now = self._clock.now()
        if self._asked_at is None or self._read_at is None:
            return True
        fresh = contract in self._known and now - self._read_at < TERMS_KEPT
        return not fresh and now - self._asked_at >= ASKED_AGAIN_AFTER

    def _ask(self, contract: str) -> None:
        now = self._clock.now()
        try:
            listed = self._market.contracts()
        except VenueUnavailable:
            if contract not in self._known:
                raise
        else:
            self._known |= {each.contract: each for each in listed}
            self._read_at = now
        self._asked_at = now


class PaperMarkets:
    """`stress` is what the run has read of it, by contract."""

    def __init__(self, terms: ContractTerms) -> None:
        self._terms = terms
        self.stress: dict[str, ContractStress] = {}

    def at_the_look(self, contract: str, feed: PathBetweenLooks) -> Market:
        """As orders meet it now. One contract that is gone, or whose terms no market can have, hides no other."""
        try:
            return self._market(contract, feed)
        except InvalidInput as error:
            logger.warning("%s counts as suspended on paper: %s", contract, error)
            return suspended_market(contract)

    def on_the_way(self, contract: str, feed: PathBetweenLooks) -> Market:
        """As it was until now: what rested met the wider of both looks' books."""
        now, before = feed.now(contract), feed.before(contract)
        wider = _liquidity(
            replace(
                now,
                bid_distance=max(now.bid_distance, before.bid_distance),
                ask_distance=max(now.ask_distance, before.ask_distance),
            )
        )
        return replace(self.at_the_look(contract, feed), resting_liquidity=wider)

    def require_readable(self, contract: str, feed: PathBetweenLooks) -> None:
        """An order whose market cannot be read gets no answer: a refusal would be taken for the venue's own."""
        if feed.look.quote(contract) is None:
            raise VenueUnavailable(f"no ticker of {contract} can be used")
        self._market(contract, feed)

    def is_listed(self, contract: str) -> bool:
        """Whether the venue lists it. Raises VenueUnavailable."""
        return self._terms.of(contract) is not None

    def _market(self, contract: str, feed: PathBetweenLooks) -> Market:
        terms = self._terms.of(contract)
        if terms is None:
            raise InvalidInput(f"the terms of {contract} cannot be read; expected a row among the venue's instruments")
        return market_of(terms, feed.now(contract), feed.status(contract), self.stress.get(contract))


def market_of(
    terms: ListedContract, price: SeenPrice, status: MarketStatus, stress: ContractStress | None = None
) -> Market:
    """One contract as the core matches it, its book as far from the mark as `price` says. InvalidInput for terms that
    no market can have."""
    return Market(
        symbol=terms.contract,
        tick_size=terms.tick,
        size_step=terms.step,
        # Some contracts are listed with a maximum of 0: nothing more than the least is taken in them.
        max_position=terms.maximum_position or terms.step,
        margin_tiers=tuple(
            MarginTier(from_notional=each.from_notional, initial=each.initial, maintenance=each.maintenance)
            for each in terms.margin_levels
        ),
        liquidity=_liquidity(price),
        maker_fee=terms.maker_fee / 10_000,
        taker_fee=terms.taker_fee / 10_000,
        status=status,
        stress=_stress(stress),
    )


def suspended_market(contract: str) -> Market:
    """A contract that the venue lists no more, or with terms that no market can have: nothing is executed in it. What
    is held leaves no margin for more, and little is kept for it: it could not be closed, only others in its place. Its
    grid is any, because no order of it is taken."""
    return Market(
        symbol=contract,
        tick_size=UNLISTED_GRID,
        size_step=UNLISTED_GRID,
        max_position=LEVEL_USD,
        margin_tiers=(MarginTier(from_notional=Decimal(0), initial=Decimal(1), maintenance=Decimal("0.005")),),
        liquidity=Liquidity(half_spread=UNQUOTED_DISTANCE, level_size=LEVEL_USD),
        status=MarketStatus.SUSPENDED,
    )


def _liquidity(price: SeenPrice) -> Liquidity:
    """The core's book stands around the mark, each side as far away as at the look."""
    return Liquidity(
        half_spread=price.bid_distance, ask_half_spread=price.ask_distance, level_size=LEVEL_USD / price.mark
    )


def _stress(stress: ContractStress | None) -> Stress:
    if stress is None or not stress.extreme_volatility:
        return Stress()
    return Stress(extreme_volatility=True, initial_margin_multiplier=stress.margin_multiplier)
