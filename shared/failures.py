"""What may go wrong with one record, and must not keep the next one from its stop or its exit."""

from __future__ import annotations

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

from trading.errors import (
    IllegalTransition,
    InvalidInput,
    TradingError,
    VenueAuthenticationFailed,
    VenueUnavailable,
)

CONTRADICTIONS = (AssertionError, ArithmeticError, LookupError, TypeError, ValueError, IllegalTransition, InvalidInput)
"""What must not be possible. Entries stop until a person has looked; what protects goes on."""

FAILURES = (TradingError, PynamoDBException, BotoCoreError, ClientError, *CONTRADICTIONS)

VENUE_FAILURES = (VenueUnavailable, VenueAuthenticationFailed)
