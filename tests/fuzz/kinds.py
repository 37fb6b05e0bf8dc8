"""All kinds of cases, and how many of 10,000 each of them gets: most where a case costs least."""

from __future__ import annotations

from functools import cache

from tests.fuzz.corpus import Kind
from tests.fuzz.events import Events
from tests.fuzz.stored_items import StoredItems
from tests.fuzz.stored_runs import StoredRuns
from tests.fuzz.venue_bodies import VenueReads, VenueSends
from tests.fuzz.whole_runs import WholeRuns

SHARES = {
    "venue reads": 4_000,
    "venue sends": 600,
    "stored items": 2_800,
    "events": 1_900,
    "whole runs": 450,
    "stored runs": 200,
    "handlers": 50,
}
WHOLE = sum(SHARES.values())


@cache
def kinds() -> dict[str, Kind]:
    from tests.fuzz.handlers import Handlers

    every: tuple[Kind, ...] = (
        VenueReads(),
        VenueSends(),
        StoredItems(),
        Events(),
        WholeRuns(),
        StoredRuns(),
        Handlers(),
    )
    return {each.name: each for each in every}


def numbers_of(kind: str, count: int) -> range:
    """The kind's part of `count` cases, at least one for each of them."""
    return range(max(1, count * SHARES[kind] // WHOLE))
