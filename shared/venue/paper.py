"""The paper account behind `trading.ports.Venue`: live public prices, simulated fills, nothing sent to anybody.

Orders, positions and fills are books of the matching core, kept in the Ledger table. Whoever looks moves them on to
now, along the straight line from the last look's prices, and stores that before anything is told: a fill that one run
has seen is a fact for all others.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Protocol, TypeVar

from shared.storage.paper_books import STORE_FAILURES, PaperBooks, PaperBooksStore
from shared.venue import paper_translation as translate
from shared.venue.last_line import LastLine
from shared.venue.paper_markets import ContractTerms, PaperMarkets
from shared.venue.paper_prices import Look, PathBetweenLooks
from trading.errors import CorruptRecord, InvalidInput, StoreConflict, TradingError, VenueUnavailable
from trading.matching import Books, MatchingEngine, Order, opening_books
from trading.model.depth import OrderBook
from trading.model.orders import OrderRequest
from trading.model.units import Money
from trading.model.venue import (
    Account,
    CancelAnswer,
    ContractStress,
    Fill,
    LedgerRow,
    ListedContract,
    OpenOrder,
    OrderReport,
    Quote,
    SendAnswer,
    SendOutcome,
    VenuePosition,
)
from trading.ports import Clock, FuturesMarket, StressReports

PAPER_BALANCE_USD = Decimal(10_000)
"""What an account holds that nobody opened with another amount (`PaperVenue.open_account`)."""

FRESH = timedelta(seconds=1)
"""Prices and books older than this are looked at again."""
AHEAD_AT_MOST = timedelta(seconds=30)
"""A ticker whose time is further ahead of our clock would carry the books, for good, to where no look reaches them."""
STATUS_KNOWS_FOR = timedelta(seconds=5)
NEWEST_FILLS = 100
ATTEMPTS = 6
"""Runs that write at the same time: each loses to one other at most once a write."""

Answer = TypeVar("Answer")
Act = Callable[[MatchingEngine], Answer]
logger = logging.getLogger(__name__)


class PublicMarket(FuturesMarket, StressReports, Protocol):
    """What is asked of the real venue: public data, without a key."""


class PaperVenue:
    """`trading.ports.Venue` for one run of one function. Every order passes `last_line`, which counts sends only."""

    def __init__(
        self, *, market: PublicMarket, terms: ContractTerms, store: PaperBooksStore, clock: Clock, last_line: LastLine
    ) -> None:
        self._market = market
        self._markets = PaperMarkets(terms)
        self._store = store
        self._clock = clock
        self._last_line = last_line
        self._look: Look | None = None
        self._held: PaperBooks | None = None
        self._held_at: datetime | None = None

    # public data, as the venue gives it

    def contracts(self) -> tuple[ListedContract, ...]:
        return self._market.contracts()

    def quotes(self) -> dict[str, Quote]:
        return dict(self._looked(timedelta(0)).quotes)

    def order_book(self, contract: str) -> OrderBook:
        return self._market.order_book(contract)

    def stress(self) -> dict[str, ContractStress]:
        self._markets.stress = self._market.stress()
        return self._markets.stress

    def server_time(self) -> datetime:
        """Every ticker carries it."""
        return self._looked(timedelta(0)).at

    # the account

    def open_account(self, balance: Decimal) -> None:
        """Open the account with so many USD. InvalidInput when there is one already or the amount is not above 0."""
        if not balance.is_finite() or balance <= 0:
            raise InvalidInput(f"balance of the paper account is {balance}; expected above 0 USD")
        try:
            self._store.save(self._opened(balance), uuid.uuid4().hex)
        except StoreConflict:
            raise InvalidInput("the paper account is open already; its balance changes by trading only") from None

    def account(self) -> Account:
        paper = self._known()
        look = self._look or Look(quotes={}, at=paper.books.now, seen_at=paper.books.now)
        margin = self._engine(paper, PathBetweenLooks(paper.books.now, paper.seen, look), paper.contracts).margin()
        return Account(
            equity=Money(margin.equity),
            available_margin=Money(margin.available),
            initial_margin=Money(margin.initial),
            maintenance_margin=Money(margin.maintenance),
            portfolio_value=Money(margin.equity),
            unrealised=Money(margin.unrealised),
            at=self._time(paper),
        )

    def positions(self) -> tuple[VenuePosition, ...]:
        return tuple(map(translate.venue_position, self._known().books.positions.values()))

    def open_orders(self) -> tuple[OpenOrder, ...]:
        return tuple(map(translate.open_order, self._known().books.live.values()))

    def order_reports(self, client_order_ids: Sequence[str]) -> tuple[OrderReport, ...]:
        paper = self._known()
        by_name = {each.client_order_id: each for each in _orders(paper)}
        now = self._time(paper)
        found = [by_name[name] for name in client_order_ids if name in by_name]
        known = [each for each in found if each.state.is_live or now - each.updated_at <= STATUS_KNOWS_FOR]
        return tuple(map(translate.order_report, known))

    def order_history(self, contract: str, since: datetime) -> tuple[OrderReport, ...]:
        paper = self._known()
        archived = [order for books in self._older(paper, since) for order in books.closed.values()]
        wanted = [each for each in (*archived, *_orders(paper)) if each.symbol == contract and each.updated_at >= since]
        return tuple(map(translate.order_report, wanted))

    def fills(self, since: datetime | None = None) -> tuple[Fill, ...]:
        paper = self._known()
        newest = paper.books.fills[-NEWEST_FILLS:]
        if since is None:
            return tuple(map(translate.fill_of, newest))
        archived = [fill for books in self._older(paper, since) for fill in books.fills]
        before = [each for each in (*archived, *paper.books.fills[:-NEWEST_FILLS]) if each.time >= since]
        return tuple(map(translate.fill_of, (*before, *newest)))

    def ledger_rows(self, since: datetime) -> tuple[LedgerRow, ...]:
        paper = self._known()
        archived = [row for books in self._older(paper, since) for row in books.log]
        rows = [row for row in (*archived, *paper.books.log) if row.is_cash and row.time >= since]
        return tuple(map(translate.ledger_row, rows))

    # orders

    def place(self, request: OrderRequest) -> SendAnswer:
        """ACCEPTED only once it is stored. When it is not known whether it was, the answer is UNKNOWN."""
        if why := self._last_line.hold_back(request):
            logger.error("order %s in %s: %s", request.client_order_id, request.contract, why)
            return SendAnswer(outcome=SendOutcome.REJECTED, detail=why)
        try:
            look = self._looked(timedelta(0))
            if request.contract not in look.quotes and not self._markets.is_listed(request.contract):
                return SendAnswer(outcome=SendOutcome.REJECTED, detail="contractNotFound")
            wanted = translate.matching_request(request)
            answer = self._carry_out(lambda engine: engine.send(wanted), request.contract, look)
        except TradingError as error:
            return SendAnswer(outcome=SendOutcome.UNKNOWN, detail=f"no answer: {error}")
        return translate.send_answer(answer)

    def cancel(self, client_order_id: str) -> CancelAnswer:
        return self._cancel(lambda engine: engine.cancel(client_order_id=client_order_id).status)

    def cancel_order(self, order_id: str) -> CancelAnswer:
        return self._cancel(lambda engine: engine.cancel(order_id=order_id).status)

    # inside

    def _cancel(self, act: Act[str]) -> CancelAnswer:
        return CancelAnswer(gone=True, detail=self._carry_out(act))

    def _known(self) -> PaperBooks:
        """The books as of now: what has happened since the last look is stored before it is told."""
        paper = self._stored()
        if paper.contracts and self._looked(FRESH).at > paper.books.now:
            self._carry_out(lambda _: None, look=self._look)
        return self._stored()

    def _carry_out(self, act: Act[Answer], contract: str | None = None, look: Look | None = None) -> Answer:
        """Move the books to now, act, and store both; from the start again when somebody else stored first."""
        token = uuid.uuid4().hex
        for _ in range(ATTEMPTS):
            paper = self._stored()
            used = look or self._looked(timedelta(0))
            look = None
            # Whatever happens from here on, these books are only good once they are stored.
            self._held = None
            answer = self._play(paper, used, act, contract)
            if self._save(paper, token):
                self._held, self._held_at = paper, self._clock.now()
                return answer
            if self._stored().token == token:
                # The write that seemed lost was ours: it went through and only its answer did not arrive.
                return answer
        raise VenueUnavailable(f"the paper account was changed by others {ATTEMPTS} times while it was written")

    def _play(self, paper: PaperBooks, look: Look, act: Act[Answer], contract: str | None) -> Answer:
        feed = PathBetweenLooks(paper.books.now, paper.seen, look)
        if contract is not None:
            self._markets.require_readable(contract, feed)
        if look.at > paper.books.now:
            way = feed.until_now()
            markets = {each: self._markets.on_the_way(each, way) for each in paper.contracts}
            MatchingEngine(paper.books, markets, way).advance(look.at)
        engine = self._engine(paper, feed, paper.contracts | ({contract} if contract else set()))
        engine.settle()
        answer = act(engine)
        paper.seen = {each: feed.now(each) for each in paper.contracts}
        return answer

    def _engine(self, paper: PaperBooks, feed: PathBetweenLooks, contracts: set[str]) -> MatchingEngine:
        return MatchingEngine(paper.books, {each: self._markets.at_the_look(each, feed) for each in contracts}, feed)

    def _save(self, paper: PaperBooks, token: str) -> bool:
        try:
            self._store.save(paper, token)
        except StoreConflict:
            return False
        except STORE_FAILURES as error:
            raise VenueUnavailable(f"the paper account may or may not be stored: {error}") from error
        return True

    def _stored(self) -> PaperBooks:
        """As stored, read again when it was read too long ago to be shown as it is."""
        now = self._clock.now()
        if self._held is None or self._held_at is None or now - self._held_at > FRESH:
            try:
                self._held = self._store.read() or self._opened(PAPER_BALANCE_USD)
            except (CorruptRecord, *STORE_FAILURES) as error:
                raise VenueUnavailable(f"the paper account cannot be read: {error}") from error
            self._held_at = now
        return self._held

    def _older(self, paper: PaperBooks, since: datetime) -> tuple[Books, ...]:
        if paper.archived_until is None or since > paper.archived_until:
            return ()
        try:
            return self._store.older(since)
        except (CorruptRecord, *STORE_FAILURES) as error:
            raise VenueUnavailable(f"the archive of the paper account cannot be read: {error}") from error

    def _opened(self, balance: Decimal) -> PaperBooks:
        now = self._clock.now()
        # Ids derive from the seed: an account that is opened anew must not use those of the one before.
        return PaperBooks(books=opening_books(now, balance, int(now.timestamp())))

    def _looked(self, oldest: timedelta) -> Look:
        now = self._clock.now()
        if self._look is None or oldest == timedelta(0) or now - self._look.seen_at > oldest:
            quotes = self._market.quotes()
            if not quotes:
                raise VenueUnavailable("the venue gives no ticker at all")
            at = max(each.at for each in quotes.values())
            if at - now > AHEAD_AT_MOST:
                raise VenueUnavailable(f"the tickers are of {at.isoformat()}, {at - now} ahead of our clock")
            self._look = Look(quotes=quotes, at=at, seen_at=now)
        return self._look

    def _time(self, paper: PaperBooks) -> datetime:
        """Books in which nothing can happen are not moved: theirs is the time of the tickers read, else ours."""
        if paper.contracts:
            return paper.books.now
        now = self._clock.now()
        return max(paper.books.now, self._look.at + (now - self._look.seen_at) if self._look else now)


def _orders(paper: PaperBooks) -> tuple[Order, ...]:
    return (*paper.books.live.values(), *paper.books.closed.values())
