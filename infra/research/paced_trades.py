"""Public trades page by page, never faster than allowed, and patient with a venue that does not answer."""

from __future__ import annotations

import time
from collections.abc import Callable

from trading.errors import InvalidInput, VenueThrottled, VenueUnavailable
from trading.model.venue import TradePage
from trading.ports import TradeHistory

PAUSES_S = (2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0)
"""Between attempts at one page: three minutes in all, longer than Kraken's usual hiccups."""
THROTTLED_PAUSE_S = 15.0
"""At least, after a refusal because of the rate limit: asking sooner would prolong it."""
FASTEST = 20.0


class PacedTrades:
    """A `TradeHistory` that spaces its calls. `tell` hears of every pause, in words."""

    def __init__(
        self,
        source: TradeHistory,
        tell: Callable[[str], None],
        *,
        calls_per_second: float = 1.0,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        if not 0 < calls_per_second <= FASTEST:
            raise InvalidInput(f"calls per second is {calls_per_second}; expected above 0, {FASTEST:g} at most")
        self._source, self._tell = source, tell
        self._spacing = 1 / calls_per_second
        self._sleep, self._monotonic = sleep, monotonic
        self._next_call = monotonic()

    def trades(self, pair: str, since: int) -> TradePage:
        """Raises VenueUnavailable when no attempt was answered."""
        for pause in PAUSES_S:
            try:
                return self._once(pair, since)
            except VenueUnavailable as error:
                wait = max(pause, THROTTLED_PAUSE_S) if isinstance(error, VenueThrottled) else pause
                self._tell(f"waiting {wait:g} s: {error}")
                self._sleep(wait)
        try:
            return self._once(pair, since)
        except VenueUnavailable as error:
            raise VenueUnavailable(
                f"{error}; asked {len(PAUSES_S) + 1} times. What was read is kept: the same command goes on there"
            ) from error

    def _once(self, pair: str, since: int) -> TradePage:
        early = self._next_call - self._monotonic()
        if early > 0:
            self._sleep(early)
        self._next_call = self._monotonic() + self._spacing
        return self._source.trades(pair, since)
