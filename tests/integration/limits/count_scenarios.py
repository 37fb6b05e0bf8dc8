"""Scenarios of the limits on how many: open positions, and entries in a minute, a day, a coin."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from shared.storage.codec import to_json
from shared.storage.ledger import BOOK, CURRENT
from shared.storage.tables import LedgerItem
from tests.integration.limits.local_stack import LocalStack
from tests.integration.limits.scenario import Scenario
from trading.model.book import EntryBook, PlannedEntry
from trading.model.instruments import InstrumentId, Side
from trading.model.risk import RefusalReason as R
from trading.model.signals import Setup, Signal

OTHERS = ("ETH", "SOL", "XRP", "DOGE", "ADA", "LTC", "LINK", "AVAX")
SETUPS = tuple(Setup)


def enter(stack: LocalStack, coins: Sequence[str], setups: Sequence[Setup] = SETUPS) -> None:
    """Entries of ours in these coins, resting at the venue; the setups take turns."""
    for number, coin in enumerate(coins):
        stack.propose(coin, setup=setups[number % len(setups)], stop="3")
    outcomes = stack.execute()["outcomes"]
    assert outcomes == {"SENT": len(coins)}, outcomes


def all_places_taken(stack: LocalStack, fires: bool) -> Signal:
    """Eight entries of ours rest at the venue, in eight coins and four clusters."""
    enter(stack, OTHERS[:6])
    stack.wait(seconds=61)
    enter(stack, OTHERS[6 : 8 if fires else 7])
    stack.wait(seconds=61)
    return stack.propose("BTC", setup=Setup.TREND, stop="3")


def cluster_full(stack: LocalStack, fires: bool) -> Signal:
    """Three entries of the same regime and setup rest at the venue."""
    enter(stack, OTHERS[: 3 if fires else 2], [Setup.ORDER_BLOCK])
    return stack.propose("BTC")


def coin_taken(stack: LocalStack, fires: bool) -> Signal:
    """A long entry of ours rests in the coin, and a signal asks for a short."""
    if fires:
        enter(stack, ["BTC"])
    return stack.propose("BTC", Side.SHORT)


def many_signals_at_once(stack: LocalStack, fires: bool) -> Signal:
    """One cycle brings seven signals; the seventh has the lowest score."""
    for number, coin in enumerate(OTHERS[: 6 if fires else 5]):
        stack.propose(coin, setup=SETUPS[number % 4], stop="3")
    return stack.propose("BTC", stop="3", score=10)


def busy_day(stack: LocalStack, fires: bool) -> Signal:
    """The Ledger's book holds sixty entries of the last 24 hours, in twenty coins."""
    count, last = 60 if fires else 59, stack.now() - timedelta(hours=2)
    entries = tuple(
        PlannedEntry(
            instrument=InstrumentId(f"COIN{number % 20}"),
            side=Side.LONG,
            at=last - timedelta(minutes=20 * (count - number)),
        )
        for number in range(count)
    )
    item = LedgerItem(BOOK, CURRENT)
    item.body, item.version = to_json(EntryBook(version=count, entries=entries)), count
    item.save()
    return stack.propose("BTC")


def let_expire(stack: LocalStack, coin: str, minutes: int) -> None:
    """An entry of ours that rests for so long, is taken off unfilled, and whose record ends."""
    stack.propose(coin, life=timedelta(minutes=minutes - 1))
    stack.execute()
    stack.wait(minutes=minutes)
    for _ in range(2):
        stack.execute()
        stack.reconcile()
        stack.wait(seconds=10)
    assert stack.cloud.ledger.position(InstrumentId(coin)) is None, f"the entry in {coin} has not ended"


def third_try_in_a_coin(stack: LocalStack, fires: bool) -> Signal:
    """Three entries of ours in the coin expired unfilled in the last hours."""
    for _ in range(3 if fires else 2):
        let_expire(stack, "BTC", 61)
    return stack.propose("BTC")


def same_idea_again(stack: LocalStack, fires: bool) -> Signal:
    """An entry of ours expired unfilled, and 17 minutes after it was planned a signal asks for the same again."""
    let_expire(stack, "BTC", 16)
    if not fires:
        stack.wait(minutes=44)
    return stack.propose("BTC")


SCENARIOS: dict[R, Scenario] = {
    R.POSITIONS: Scenario(play=all_places_taken),
    R.CLUSTER_POSITIONS: Scenario(play=cluster_full),
    R.INSTRUMENT_POSITIONS: Scenario(play=coin_taken),
    R.ENTRIES_PER_MINUTE: Scenario(play=many_signals_at_once),
    R.ENTRIES_PER_DAY: Scenario(play=busy_day),
    R.ENTRIES_PER_COIN: Scenario(play=third_try_in_a_coin),
    R.REPEATED_ENTRY: Scenario(play=same_idea_again),
}
