"""The few errors of the system, named by what the caller must do. Expected outcomes are values, not errors."""

from __future__ import annotations


class TradingError(Exception):
    """Root of all errors raised on purpose here."""


class InvalidInput(TradingError):
    """Somebody must correct a value: the message names it and says what was expected. Nothing was changed."""


class InvalidRules(InvalidInput):
    """The rules file or an override is wrong; nothing runs until it is corrected."""


class IllegalTransition(TradingError):
    """A life cycle was asked for an edge that its table does not list: a defect, stop and look."""


class VenueUnavailable(TradingError):
    """The venue gave no usable answer to a read. Nothing was changed: try again on the next run."""


class VenueThrottled(VenueUnavailable):
    """The venue refused a read because of its rate limit; it was not processed. Slow down before trying again."""


class VenueNotAsked(VenueUnavailable):
    """The read was not made: no call was left for it in this run. The next run makes it."""


class VenueAnswerInvalid(VenueUnavailable):
    """The venue answered something that is not its documented body (HTML, empty, wrong types). Treat as no answer."""


class VenueAuthenticationFailed(TradingError):
    """The venue refuses the key. Do not retry in a loop: a person must look at the key."""


class StoreConflict(TradingError):
    """Somebody else changed the record first. Read it again, or leave the work to the next run."""


class CorruptRecord(TradingError):
    """A stored item does not decode to what was written. Refuse it loudly and fetch its content again."""
