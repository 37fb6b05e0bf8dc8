"""Errors as botocore raises them out of a DynamoDB call. PynamoDB's own code wraps them on the way to ours.

A hook of `installed` raises what the functions here return.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
)

ENDPOINT = "https://dynamodb.us-east-1.amazonaws.com/"
CONDITION_FAILED = "The conditional request failed"

Reason = Mapping[str, Any]
"""Why one write of a transaction stopped it: `Code`, `Message` and perhaps `Item`; code `None` for an innocent one."""

INNOCENT: Reason = {"Code": "None"}


def refused(operation: str, code: str, message: str, status: int = 400) -> ClientError:
    """Any error that the service answers with."""
    return ClientError(_response(code, message, status), operation)


def throttled(operation: str) -> ClientError:
    """The table or partition takes no more for the moment; nothing was carried out, botocore's retries are used up."""
    message = "The level of configured provisioned throughput for the table was exceeded."
    return refused(operation, "ProvisionedThroughputExceededException", message)


def server_error(operation: str) -> ClientError:
    """HTTP 500: whether a write took effect is unknown."""
    return refused(operation, "InternalServerError", "Internal server error", 500)


def timed_out(operation: str) -> ReadTimeoutError:
    """No answer came in time: whether a write took effect is unknown."""
    return ReadTimeoutError(endpoint_url=f"{ENDPOINT}#{operation}")


def connection_closed(operation: str) -> ConnectionClosedError:
    """The connection ended before an answer: whether a write took effect is unknown."""
    return ConnectionClosedError(endpoint_url=f"{ENDPOINT}#{operation}")


def unreachable(operation: str) -> EndpointConnectionError:
    """No connection: the request was certainly not carried out."""
    return EndpointConnectionError(endpoint_url=f"{ENDPOINT}#{operation}")


def connect_timed_out(operation: str) -> ConnectTimeoutError:
    """No connection in time: the request was certainly not carried out."""
    return ConnectTimeoutError(endpoint_url=f"{ENDPOINT}#{operation}")


def in_transaction(operation: str, writes: int = 1) -> ClientError:
    """The item is in somebody else's transaction at this moment. `writes`: how many the own transaction holds."""
    if operation != "TransactWriteItems":
        return refused(operation, "TransactionConflictException", "Transaction is ongoing for the item")
    conflict = {"Code": "TransactionConflict", "Message": "Transaction is ongoing for the item"}
    return cancelled([conflict, *[INNOCENT] * (writes - 1)])


def condition_failed(operation: str, item: Mapping[str, Any] | None) -> ClientError:
    """The write's condition did not hold; `item` is what was found, when the request asked to see it."""
    error = refused(operation, "ConditionalCheckFailedException", CONDITION_FAILED)
    if item is not None:
        error.response["Item"] = dict(item)  # type: ignore[typeddict-unknown-key]
    return error


def cancelled(reasons: Sequence[Reason]) -> ClientError:
    """A transaction of which nothing was carried out, with one reason per write in the order of the writes."""
    codes = ", ".join(str(reason["Code"]) for reason in reasons)
    message = f"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]"
    error = refused("TransactWriteItems", "TransactionCanceledException", message)
    told: Any = [dict(reason) for reason in reasons]
    error.response["CancellationReasons"] = told
    return error


def invalid(operation: str, message: str) -> ClientError:
    """A request that DynamoDB does not take."""
    return refused(operation, "ValidationException", message)


def _response(code: str, message: str, status: int) -> Any:
    headers = {"x-amzn-requestid": "SIMULATED"}
    return {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status, "HTTPHeaders": headers, "RetryAttempts": 0},
    }
