"""Composition of the venue's adapters, once per process and address."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from shared.clock import SystemClock
from trading.ports import Clock

if TYPE_CHECKING:
    from shared.venue import KrakenFuturesMarket, KrakenRestVenue, KrakenSpot
    from shared.venue.last_line import EntryCaps, LastLine
    from shared.venue.paper import PaperVenue
    from shared.venue.paper_markets import ContractTerms


@lru_cache(maxsize=4)
def spot_of(url: str, clock: Clock) -> KrakenSpot:
    from shared.venue import KrakenSpot

    return KrakenSpot(clock=clock, base_url=url)


@lru_cache(maxsize=4)
def futures_of(url: str) -> KrakenFuturesMarket:
    """Public derivatives data, without a key."""
    from shared.venue import KrakenFuturesMarket

    return KrakenFuturesMarket(base_url=url)


@lru_cache(maxsize=4)
def account_of(
    url: str, key: str, secret: str, caps: EntryCaps | None = None, clock: Clock | None = None
) -> KrakenRestVenue:
    """The trading account; a changed key or cap gives a new client. Without caps it can open nothing."""
    from shared.venue import KrakenRestVenue
    from shared.venue.last_line import LastLine

    last_line = LastLine(caps=caps, clock=clock or SystemClock())
    return KrakenRestVenue(key=key, secret=secret, base_url=url, last_line=last_line)


def paper_of(url: str, ledger_table: str, caps: EntryCaps, clock: Clock) -> PaperVenue:
    """The paper account: public data of the venue at `url`, books in the Ledger table, no key. One for each run."""
    from shared.storage.paper_books import PaperBooksStore
    from shared.venue.paper import PaperVenue

    return PaperVenue(
        market=futures_of(url),
        terms=_terms_of(url, clock),
        store=PaperBooksStore(ledger_table),
        clock=clock,
        last_line=_line_of(caps, clock),
    )


@lru_cache(maxsize=4)
def _terms_of(url: str, clock: Clock) -> ContractTerms:
    from shared.venue.paper_markets import ContractTerms

    return ContractTerms(futures_of(url), clock)


@lru_cache(maxsize=4)
def _line_of(caps: EntryCaps, clock: Clock) -> LastLine:
    """One for the process: it counts what the process has spent."""
    from shared.venue.last_line import LastLine

    return LastLine(caps=caps, clock=clock)
