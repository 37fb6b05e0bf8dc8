"""Instants are aware UTC datetimes; bars are named by their open time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import StrEnum

from trading.errors import InvalidInput


class Timeframe(StrEnum):
    """The four bar lengths. 15m is fetched, the others are derived; bars start at whole multiples since 1970."""

    M15 = "15m"
    H1 = "1h"
    H4 = "4h"
    D1 = "1d"

    @property
    def seconds(self) -> int:
        return _SECONDS[self]

    @property
    def length(self) -> timedelta:
        return timedelta(seconds=_SECONDS[self])

    def floor(self, moment: datetime) -> datetime:
        """Open time of the bar that `moment` falls into; also the close time of the last closed bar."""
        seconds = int(moment.timestamp())
        return datetime.fromtimestamp(seconds - seconds % self.seconds, UTC)


_SECONDS = {Timeframe.M15: 900, Timeframe.H1: 3_600, Timeframe.H4: 14_400, Timeframe.D1: 86_400}


def require_utc(moment: datetime, what: str) -> datetime:
    """Return `moment` if it is aware and in UTC; raise InvalidInput otherwise."""
    if moment.tzinfo is None or moment.utcoffset() != timedelta(0):
        raise InvalidInput(f"{what} is {moment!r}; expected an aware UTC time")
    return moment


def to_text(moment: datetime) -> str:
    """ISO 8601 with Z and always three decimals, so that text order is time order: `2024-05-01T10:00:00.000Z`."""
    require_utc(moment, "time")
    return f"{moment.strftime('%Y-%m-%dT%H:%M:%S')}.{moment.microsecond // 1000:03d}Z"


def from_text(text: str) -> datetime:
    """Parse ISO 8601 in UTC. Raises InvalidInput for anything else."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput(f"time is {text!r}; expected ISO 8601 such as 2024-05-01T10:00:00Z") from None
    return require_utc(moment, "time")


def from_epoch(seconds: int) -> datetime:
    """Aware UTC time of whole seconds since 1970."""
    return datetime.fromtimestamp(seconds, UTC)
