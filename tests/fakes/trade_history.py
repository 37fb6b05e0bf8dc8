"""Public trades in memory, served in pages as Kraken serves them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from trading.model.venue import Trade, TradePage


class TradesInMemory:
    """A `TradeHistory` over trades of one pair, oldest first. `called` holds every `since` that was asked.

    `inclusive`: pages begin with the trade at `since` itself. `before` is called with the number of each call first,
    and may raise what a venue or a person would.
    """

    def __init__(
        self,
        trades: Sequence[Trade],
        *,
        page: int = 1000,
        inclusive: bool = False,
        before: Callable[[int], None] = lambda _: None,
    ) -> None:
        self.all = list(trades)
        self.called: list[int] = []
        self._page, self._inclusive, self._before = page, inclusive, before

    def trades(self, pair: str, since: int) -> TradePage:
        self.called.append(since)
        self._before(len(self.called) - 1)
        after = [each for each in self.all if each.at > since or (self._inclusive and each.at == since)]
        answer = tuple(after[: self._page])
        return TradePage(trades=answer, next_since=answer[-1].at if answer else since)
