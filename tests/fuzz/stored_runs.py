"""Damaged records below whole runs: two minutes of the schedule beside a twin whose records are whole.

The rules for orders are those of `whole_runs`. A text that decodes to another record is *believed*: nothing tells it
from what was written. A position whose record cannot be read keeps its orders at the exchange, and gets a stop for the
whole of it under a record of its own: that one stop more is allowed, because nobody knows what its orders are.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Callable
from functools import cached_property
from typing import Any

from shared.storage.codec import from_json, to_json
from tests.fuzz.corpus import require
from tests.fuzz.mutations import Mutated
from tests.fuzz.trading_scene import RUNS, Scene, Sent
from tests.fuzz.whole_runs import reducing_beside, require_only_openings_near, require_only_openings_of
from trading.errors import CorruptRecord, TradingError
from trading.model.book import EntryBook
from trading.model.control import Control, RiskDay
from trading.model.disorder import DisorderPause
from trading.model.instruments import InstrumentId, Universe
from trading.model.positions import Position

COIN = InstrumentId("COIN")
Damaging = Callable[[Scene, str], None]

DAMAGE: dict[str, tuple[Any, Damaging]] = {
    "position": (Position, lambda scene, text: scene.stores.damage.position(COIN, text)),
    "book": (EntryBook, lambda scene, text: scene.stores.damage.book(text)),
    "control": (Control, lambda scene, text: scene.stores.damage.control(text)),
    "risk day": (RiskDay, lambda scene, text: scene.stores.damage.risk_day(text)),
    "watch": (tuple[DisorderPause, ...], lambda scene, text: scene.stores.damage.watch(text)),
    "universe": (Universe, lambda scene, text: scene.stores.damage.universe(zlib.compress(text.encode()))),
}


class StoredRuns:
    name = "stored runs"
    http = False

    @cached_property
    def scene(self) -> Scene:
        scene = Scene()
        scene.open()
        return scene

    @cached_property
    def _texts(self) -> dict[str, bytes]:
        tables = self.scene.tables
        self.scene.restore()
        values: dict[str, Any] = {
            "position": tables.positions[COIN].value,
            "book": tables.book.value if tables.book else None,
            "control": tables.control.value if tables.control else None,
            "risk day": tables.risk_day.value if tables.risk_day else None,
            "watch": tables.watch.value.pauses if tables.watch else (),  # type: ignore[union-attr]
            "universe": tables.universe.universe if tables.universe else None,
        }
        return {name: to_json(value).encode() for name, value in values.items() if value is not None}

    @cached_property
    def _twin(self) -> list[Sent]:
        self._two_minutes(lambda scene: None)
        return [each for _, each in self.scene.sent]

    def entries(self) -> tuple[str, ...]:
        return tuple(self._texts)

    def body(self, entry: str) -> bytes:
        return self._texts[entry]

    def judge(self, entry: str, given: Mutated) -> str:
        twin, text = self._twin, given.body.decode("utf-8", errors="replace")
        kind, damage = DAMAGE[entry]
        refused = self._two_minutes(lambda scene: damage(scene, text))
        sent = [each for _, each in self.scene.sent]
        believed = _decodes(kind, text)
        # A fee or an equity that was believed sizes the entry: it may differ a little then.
        (require_only_openings_near if believed else require_only_openings_of)(twin, sent)
        extra = [each for each in reducing_beside(twin, sent) if not (entry == "position" and _stop_of_coin(each))]
        if extra:
            require(believed, f"because of a record that does not decode: {extra[0]}")
            return "believed, reduced"
        if not believed:
            self._require_stop()
        return "refused" if refused else "as the twin" if Counter(sent) == Counter(twin) else "other orders"

    def _two_minutes(self, damage: Callable[[Scene], None]) -> bool:
        """True when a run ended with one of the documented errors, which a damaged record may cause for as long as it
        stays damaged."""
        self.scene.restore()
        damage(self.scene)
        refused = False
        for run in (*RUNS, "", *RUNS):
            if not run:
                self.scene.pass_time(60)
                continue
            try:
                self.scene.invoke(run)
            except TradingError:
                refused = True
        return refused

    def _require_stop(self) -> None:
        books = self.scene.application.venue.engine.books
        require("PF_COINUSD" in books.positions, "the position was closed")
        naked = {symbol: cover.naked_since for symbol, cover in books.covers.items() if cover.naked_since}
        require(not naked, f"without a stop: {naked}")


def _stop_of_coin(order: Sent) -> bool:
    return order.kind == "stp" and order.reduce_only and (order.symbol, order.side) == ("PF_COINUSD", "sell")


def _decodes(kind: Any, text: str) -> bool:
    try:
        from_json(kind, text)
    except CorruptRecord:
        return False
    return True
