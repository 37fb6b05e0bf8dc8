"""What must hold at the end of a run, checked against the sandbox's own books and the receiver's counts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from infra.local.progress import Progress
from infra.local.records import Records
from infra.local.sandbox_client import SandboxState

EQUITY_TOLERANCE = Decimal("0.01")
RECONCILE_SECONDS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """Our ledger's equity against the venue's, in USD; what stands differently in the two, in words."""

    ours: Decimal
    venue: Decimal
    fees: Decimal
    funding: Decimal
    differences: tuple[str, ...]


def differences(records: Records, venue: SandboxState) -> tuple[str, ...]:
    """Positions, working orders and fills that only one side knows, or knows with another quantity."""
    return (
        *_position_differences(records, venue),
        *_order_differences(records, venue),
        *_fill_differences(records, venue),
    )


def _position_differences(records: Records, venue: SandboxState) -> Iterator[str]:
    ours = {each.contract: each.quantity * each.side.sign for each in records.held if each.quantity}
    for contract in sorted(set(ours) | set(venue.positions)):
        here, there = ours.get(contract, Decimal(0)), venue.positions.get(contract, Decimal(0))
        if here != there:
            yield f"{contract}: our ledger has {here}, the venue {there}"


def _order_differences(records: Records, venue: SandboxState) -> Iterator[str]:
    ours = {each.client_order_id for position in records.held for each in position.intents if each.state.may_rest}
    theirs = set(venue.client_order_ids)
    yield from (f"order {each}: rests in our ledger, not at the venue" for each in sorted(ours - theirs))
    yield from (f"order {each}: rests at the venue, not in our ledger" for each in sorted(theirs - ours))


def _fill_differences(records: Records, venue: SandboxState) -> Iterator[str]:
    ours = sum(len(each.fills) for each in records.positions)
    if ours != venue.fills:
        yield f"our ledger has {ours} fills, the venue {venue.fills}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What the checks look at. `posts` are the receiver's counts, `undelivered` messages left by queue."""

    records: Records
    progress: Progress
    venue: SandboxState
    books: Books
    posts: Mapping[str, int]
    undelivered: Mapping[str, int]


def violations(evidence: Evidence) -> list[str]:
    """One sentence for each thing that must hold and does not."""
    return [
        *_coverage(evidence.records),
        *_money(evidence.books),
        *_protection(evidence.venue),
        *_deliveries(evidence),
        *(f"discrepancy at the end: {each}" for each in evidence.books.differences),
        *(f"handler failed {count} times: {each}" for each, count in evidence.progress.tally.errors.items()),
    ]


def _coverage(records: Records) -> Iterator[str]:
    expected, found = len(records.universe) * len(records.bars), len(records.decisions)
    if not expected or found != expected:
        coins, bars = len(records.universe), len(records.bars)
        yield f"{found} decisions; expected {coins} coins x {bars} decision bars = {expected}"


def _money(books: Books) -> Iterator[str]:
    if abs(books.ours - books.venue) > EQUITY_TOLERANCE:
        yield f"equity is {books.ours} by our ledger and {books.venue} by the venue's books; expected equal to 0.01 USD"


def _protection(venue: SandboxState) -> Iterator[str]:
    if venue.seconds_without_stop_max > RECONCILE_SECONDS:
        yield (
            f"a position stood {venue.seconds_without_stop_max} s without a stop; "
            f"expected at most one reconcile run, {RECONCILE_SECONDS} s"
        )


def _deliveries(evidence: Evidence) -> Iterator[str]:
    published = evidence.progress.tally.alerts
    for service in ("slack", "discord"):
        if evidence.posts[service] < published:
            yield f"{evidence.posts[service]} posts arrived at {service}; expected {published}, one for every alert"
    if evidence.posts["rejected"]:
        yield f"{evidence.posts['rejected']} posts had a shape that Slack or Discord would refuse"
    for queue, count in evidence.undelivered.items():
        if count:
            yield f"{count} messages were left in {queue}"
