"""Mutated answers below whole runs: two minutes of the schedule, the first with one answer replaced, beside a twin
that got the truth.

What is allowed, and why:

* An opening order only where the twin opens too: same contract, side and price, not larger, not more often. Smaller or
  none at all is what doubt should lead to.
* A reducing order that the twin sends too. Beside those only a stop at the trigger of one that the twin has or sends:
  when an answer hides a stop, a second one is the safe mistake, as both are reduce-only.
* An answer that is *believed* is another matter: it validates, and says something else than the truth (the mark is half
  of what it was). Nothing tells it from the truth, so reduce-only exits may follow from it, and the one opening order
  that the twin sends may follow the believed price within the price collar; both are counted as such.

After the second minute every position at the exchange must stand behind a stop.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

from infra.local.sandbox.wire import Request
from tests.fakes.records import BAR, RULES
from tests.fuzz.corpus import require
from tests.fuzz.mutations import Mutated
from tests.fuzz.trading_scene import RUNS, Scene, Sent
from tests.fuzz.wire import Given
from tests.integration.venue.recorded_bodies import V3
from trading.errors import TradingError
from trading.model.instruments import InstrumentId

EVERY = "every"
MOST_WORTH = Decimal("1.1")
Alike = Callable[[Sent, Sent], bool]

READ_AGAIN: dict[str, Callable[[Scene], object]] = {
    f"{V3}/tickers": lambda scene: scene.account.quotes(),
    f"{V3}/instruments/status": lambda scene: scene.account.stress(),
    f"{V3}/openpositions": lambda scene: scene.account.positions(),
    f"{V3}/openorders": lambda scene: scene.account.open_orders(),
    f"{V3}/fills": lambda scene: scene.account.fills(BAR),
    f"{V3}/accounts": lambda scene: scene.account.account(),
    "/0/public/Ticker": lambda scene: scene.spot.quotes(["COINUSD", "NEXTUSD"]),
}
"""To find out whether a mutated answer is believed: what the adapter makes of it, beside what it makes of the truth."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """One request of the twin: in which run, the how-manieth to its path, and the true answer."""

    run: str
    path: str
    number: int
    truth: Given


class WholeRuns:
    """Entries `run path number`; `every` replaces all answers of the run to that path."""

    name = "whole runs"
    http = True

    @cached_property
    def scene(self) -> Scene:
        scene = Scene()
        scene.open()
        return scene

    @cached_property
    def _twin(self) -> tuple[dict[str, Answered], list[Sent]]:
        """What was asked in the first minute, and what was sent in both."""
        found: dict[str, Answered] = {}
        counts: Counter[tuple[str, str]] = Counter()

        def note(run: str, request: Request, truth: Given) -> Given:
            key = (run, request.path)
            counts[key] += 1
            asked = Answered(run=run, path=request.path, number=counts[key], truth=truth)
            found[f"{run} {request.path} {counts[key]}"] = asked
            return truth

        two_minutes(self.scene, note)
        several = [key for key, count in counts.items() if count > 1]
        for run, path in several:
            found[f"{run} {path} {EVERY}"] = Answered(
                run=run, path=path, number=0, truth=found[f"{run} {path} 1"].truth
            )
        return found, [each for _, each in self.scene.sent]

    def entries(self) -> tuple[str, ...]:
        return tuple(self._twin[0])

    def body(self, entry: str) -> bytes:
        return self._twin[0][entry].truth.body

    def judge(self, entry: str, given: Mutated) -> str:
        asked, twin = self._twin[0][entry], self._twin[1]
        answer = Given(body=given.body, status=given.status)
        seen = Counter[str]()

        def replaced(run: str, request: Request, truth: Given) -> Given:
            if (run, request.path) != (asked.run, asked.path):
                return truth
            seen[request.path] += 1
            return answer if asked.number in (0, seen[request.path]) else truth

        refused = two_minutes(self.scene, replaced)
        sent = [each for _, each in self.scene.sent]
        require_protected(self.scene)
        extra, moved = reducing_beside(twin, sent), openings_beside(twin, sent)
        if extra or moved:
            require_only_openings_near(twin, sent)
            first = (extra + moved)[0]
            require(self._believed(asked, answer), f"because of an answer that nobody believes: {first}")
            return "believed, reduced" if extra else "believed, opened at its price"
        return "refused" if refused else "as the twin" if Counter(sent) == Counter(twin) else "fewer orders"

    def _believed(self, asked: Answered, answer: Given) -> bool:
        read = READ_AGAIN.get(asked.path)
        if read is None:
            return True
        self.scene.restore()
        self.scene.change = lambda _, request, truth: answer if request.path == asked.path else truth
        try:
            told = read(self.scene)
        except TradingError:
            return False
        self.scene.change = lambda _, request, truth: asked.truth if request.path == asked.path else truth
        return told != read(self.scene)


def two_minutes(scene: Scene, change: Callable[[str, Request, Given], Given]) -> bool:
    """From the scene's start; the second minute has only true answers. True when a run of the first ended with one of
    the documented errors; any other exception goes through, and so does any at all of the second."""
    scene.restore()
    scene.change = change
    refused = False
    for run in RUNS:
        try:
            scene.invoke(run)
        except TradingError:
            refused = True
    scene.change = None
    scene.pass_time(60)
    for run in RUNS:
        scene.invoke(run)
    return refused


def openings_beside(
    twin: list[Sent], sent: list[Sent], alike: Callable[[Sent, Sent], bool] | None = None
) -> list[Sent]:
    """Orders that may open and that have no order of the twin's to stand for, each of which stands for one."""
    left, beside = [each for each in twin if not each.reduce_only], []
    for order in (each for each in sent if not each.reduce_only):
        match = next((each for each in left if (alike or _alike)(each, order)), None)
        if match is None:
            beside.append(order)
        else:
            left.remove(match)
    return beside


def require_only_openings_of(twin: list[Sent], sent: list[Sent]) -> None:
    for order in openings_beside(twin, sent):
        require(False, f"an order that may open and that the twin does not send: {order}")


def require_only_openings_near(twin: list[Sent], sent: list[Sent]) -> None:
    for order in openings_beside(twin, sent, _near):
        require(False, f"an order that may open, away from any that the twin sends: {order}")


def _alike(twin: Sent, order: Sent) -> bool:
    same = (twin.symbol, twin.side, twin.kind, twin.limit) == (order.symbol, order.side, order.kind, order.limit)
    return same and Decimal(order.size) <= Decimal(twin.size)


def _near(twin: Sent, order: Sent) -> bool:
    """At a price within the collar, and worth little more: costs that are believed to be lower make it larger."""
    collar = RULES.execution.price_collar_pct / 100
    same = (twin.symbol, twin.side, twin.kind) == (order.symbol, order.side, order.kind)
    price, planned = Decimal(order.limit), Decimal(twin.limit)
    worth, planned_worth = price * Decimal(order.size), planned * Decimal(twin.size)
    return same and abs(price - planned) <= planned * collar and worth <= planned_worth * MOST_WORTH


def reducing_beside(twin: list[Sent], sent: list[Sent]) -> list[Sent]:
    """Reducing orders that the twin does not send, without stops at its triggers."""
    beside = Counter(each for each in sent if each.reduce_only) - Counter(twin)
    stops = {(each.symbol, each.side, each.trigger) for each in (*twin, *STANDING) if each.kind == "stp"}
    return [each for each in beside if each.kind != "stp" or (each.symbol, each.side, each.trigger) not in stops]


STANDING = (Sent(symbol="PF_COINUSD", side="sell", kind="stp", size="", reduce_only=True, limit="", trigger="98"),)
"""The stop that stands when the scene begins."""


def require_protected(scene: Scene) -> None:
    books: Any = scene.application.venue.engine.books
    for symbol, cover in books.covers.items():
        require(cover.naked_since is None, f"{symbol} stands without a stop since {cover.naked_since}")
    held = scene.stores.ledger.position(InstrumentId("COIN"))
    require(held is not None or "PF_COINUSD" not in books.positions, "a position at the exchange has no record")
