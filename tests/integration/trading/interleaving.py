"""A venue during whose calls something else happens: what another function, the owner or the market does meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.fakes.venue import VenueInMemory


class Meanwhile:
    """Passes every call on to `venue`; just before (or after) the first call of `method`, `event` happens once."""

    def __init__(self, venue: VenueInMemory, method: str, event: Callable[[], Any], *, after: bool = False) -> None:
        self._venue = venue
        self._method = method
        self._event: Callable[[], Any] | None = event
        self._after = after

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._venue, name)
        if name != self._method or self._event is None:
            return call

        def interleaved(*arguments: Any, **named: Any) -> Any:
            event, self._event = self._event, None
            if event and not self._after:
                event()
            answer = call(*arguments, **named)
            if event and self._after:
                event()
            return answer

        return interleaved
