"""One run's look at the account: what the venue shows, and what everything in the run is judged by."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.failures import CONTRADICTIONS, VENUE_FAILURES
from shared.guard.report import GuardReport
from shared.trading_desk import TradingDesk
from trading.errors import VenueAnswerInvalid, VenueUnavailable
from trading.model.positions import Position
from trading.model.units import Price
from trading.model.venue import Fill, OpenOrder, OrderReport, Quote, VenuePosition
from trading.reconciliation.policy import Policies
from trading.reconciliation.settle import in_doubt
from trading.reconciliation.view import DiscrepancyKind, VenueView

CLOCKS_MAY_DIFFER = timedelta(minutes=1)
"""The venue stamps its rows with its own clock."""

ADOPTED_FILLS_FOR = timedelta(days=2)
"""Of a position that is not ours only the fills of its stop count. It may be held for months: asked for since then, the
account's fills would one day be more than the venue tells. A stop that fired earlier is found by its look-up."""

LOOK_UPS_FOR = timedelta(seconds=4)
"""No look-up is begun later than this after the first: where they hang, the run has to reach the stops of all."""


class Quotes:
    """Bulk quotes, read at most once a run and only when something needs a mark."""

    def __init__(self, desk: TradingDesk) -> None:
        self._desk = desk
        self._quotes: dict[str, Quote] | None = None

    def mark(self, contract: str) -> Price | None:
        if self._quotes is None:
            try:
                self._quotes = self._desk.venue.quotes()
            except VENUE_FAILURES:
                self._quotes = {}
        quote = self._quotes.get(contract)
        return quote.mark if quote else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What the steps of one run share."""

    desk: TradingDesk
    view: VenueView
    quotes: Quotes
    policies: Policies
    report: GuardReport

    def acts(self, kind: DiscrepancyKind) -> bool:
        return self.policies[kind].active

    def failed(self, subject: str, error: Exception) -> None:
        """Keep what went wrong with one of them; the others go on."""
        sentence = f"{subject}: {error}"
        self.report.failures.append(sentence)
        if isinstance(error, CONTRADICTIONS):
            self.report.contradictions.append(f"{subject}: {type(error).__name__} {error}")


def read_view(desk: TradingDesk, positions: tuple[Position, ...], report: GuardReport) -> VenueView:
    """Positions, orders and fills in one go; look-ups only for orders that should rest and do not.

    A look-up that fails, or that there was no time for, keeps its own orders in doubt and nothing else: missing stops
    are still repaired. So they are when the fills do not answer, from positions and orders alone; nothing is concluded
    from silence then.
    """
    oldest = min((_fills_wanted_from(each, desk.now) for each in positions), default=None)
    since = oldest - CLOCKS_MAY_DIFFER if oldest else None
    shown, orders = desk.venue.positions(), desk.venue.open_orders()
    fills = _read_fills(desk, since, report)
    _refuse_empty(desk, shown, positions)
    reports, failed = _look_up(desk, positions, orders, report)
    return VenueView(
        positions=shown,
        open_orders=orders,
        fills=fills or (),
        reports=reports,
        at=desk.now,
        not_looked_up=frozenset({each.contract for each in positions} if fills is None else failed),
        fills_known=fills is not None,
    )


def _look_up(
    desk: TradingDesk, positions: tuple[Position, ...], orders: tuple[OpenOrder, ...], report: GuardReport
) -> tuple[tuple[OrderReport, ...], set[str]]:
    """What is told of the doubtful orders, and the contracts of which it is not known. Another one comes first every
    minute, so that slow answers to the first never keep the last from being asked for."""
    reports: list[OrderReport] = []
    failed: set[str] = set()
    asked = [(each, doubtful) for each in positions if (doubtful := in_doubt(each, orders))]
    first = desk.now.minute % len(asked) if asked else 0
    began = desk.clock.now()
    for position, doubtful in (*asked[first:], *asked[:first]):
        try:
            if desk.clock.now() - began > LOOK_UPS_FOR:
                raise VenueUnavailable(f"not asked, the others have taken more than {LOOK_UPS_FOR.seconds} s")
            reports += desk.venue.order_reports([each.client_order_id for each in doubtful])
            reports += desk.venue.order_history(position.contract, position.planned_at - CLOCKS_MAY_DIFFER)
        except VENUE_FAILURES as error:
            failed.add(position.contract)
            report.failures.append(f"{position.instrument} look-up: {error}")
    return tuple(reports), failed


def _fills_wanted_from(position: Position, now: datetime) -> datetime:
    return max(position.planned_at, now - ADOPTED_FILLS_FOR) if position.adopted else position.planned_at


def _read_fills(desk: TradingDesk, since: datetime | None, report: GuardReport) -> tuple[Fill, ...] | None:
    try:
        return desk.venue.fills(since)
    except VENUE_FAILURES as error:
        # Positions and orders have answered: a key that may read those but not this still protects what is held.
        report.failures.append(f"fills: {error}")
        return None


def _refuse_empty(desk: TradingDesk, shown: tuple[VenuePosition, ...], positions: tuple[Position, ...]) -> None:
    """No position is shown where we hold some: believed only when no margin is in use for positions either."""
    if shown or not any(each.quantity for each in positions):
        return
    used = desk.venue.account().initial_margin
    if used > 0:
        raise VenueAnswerInvalid(f"the venue shows no position but {used} USD of margin for positions")
