"""The three tables as PynamoDB models, and nothing else: all access to DynamoDB goes through this module's classes.

Every item has `pk` and `sk`. Reads that decide are strong; every write carries a condition. The time limits are
set for a Lambda that must be done in seconds: PynamoDB's own defaults could wait for minutes.
"""

from __future__ import annotations

from functools import cache
from typing import Any, TypeVar

from botocore.exceptions import ClientError
from botocore.loaders import Loader, create_loader
from pynamodb.attributes import BinaryAttribute, NumberAttribute, TTLAttribute, UnicodeAttribute
from pynamodb.connection import TableConnection
from pynamodb.exceptions import DeleteError, PutError, TransactWriteError, UpdateError
from pynamodb.models import Model

from trading.errors import StoreConflict

CONNECT_SECONDS = 1
READ_SECONDS = 2
RETRIES = 2


class Item(Model):
    """What every table's items may carry. `version` counts the writes of an item that is changed in place."""

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    body = UnicodeAttribute(null=True)
    data = BinaryAttribute(null=True, legacy_encoding=False)
    state = UnicodeAttribute(null=True)
    version = NumberAttribute(null=True)
    at = UnicodeAttribute(null=True)
    expires_at = TTLAttribute(null=True)


class _Limits:
    billing_mode = "PAY_PER_REQUEST"
    connect_timeout_seconds = CONNECT_SECONDS
    read_timeout_seconds = READ_SECONDS
    max_retry_attempts = RETRIES


class MarketDataItem(Item):
    class Meta(_Limits):
        table_name = "unbound-market-data"


class DecisionItem(Item):
    class Meta(_Limits):
        table_name = "unbound-decisions"


class LedgerItem(Item):
    class Meta(_Limits):
        table_name = "unbound-ledger"


Kind = TypeVar("Kind", bound=Item)

SOMEBODY_ELSE = frozenset(
    {
        "ConditionalCheckFailedException",
        "ConditionalCheckFailed",
        "TransactionConflictException",
        "TransactionConflict",
    }
)
"""DynamoDB's words: of a plain write, and of one write of a cancelled transaction."""


def bind(model: type[Kind], table_name: str) -> type[Kind]:
    """Point a model at the deployed table's name (known only from the settings)."""
    meta: Any = model.Meta
    if meta.table_name != table_name:
        meta.table_name = table_name
        model._connection = None
        connection(model).connection.session.register_component("data_loader", _descriptions())
    return model


@cache
def _descriptions() -> Loader:
    """One for all tables: each model has a session of its own and would parse DynamoDB's description again."""
    return create_loader()


def connection(model: type[Item]) -> TableConnection:
    return model._get_connection()


def lost_condition(error: PutError | UpdateError | DeleteError | TransactWriteError) -> bool:
    """The write was refused because its condition did not hold, or because the item is in somebody's transaction at
    this moment: somebody else was first."""
    # An error without an answer (a timeout) has no code; PynamoDB would look for one in it and fail.
    codes = {error.cause_response_code} if isinstance(error.cause, ClientError) else set()
    if isinstance(error, TransactWriteError):
        codes |= {reason.code for reason in error.cancellation_reasons if reason is not None}
    return bool(codes & SOMEBODY_ELSE)


def save_new(item: Item) -> bool:
    """Write an item that must not exist yet; False when it does."""
    try:
        item.save(condition=Item.pk.does_not_exist())
    except PutError as error:
        if lost_condition(error):
            return False
        raise
    return True


def save_at_version(item: Item, expected: int, what: str) -> None:
    """Write an item over the version that was read, 0 for one that was not there. StoreConflict names `what`."""
    free = Item.version.does_not_exist() if expected == 0 else Item.version == expected
    try:
        item.save(condition=free)
    except PutError as error:
        if lost_condition(error):
            raise StoreConflict(f"{what} is no longer at version {expected}") from error
        raise
