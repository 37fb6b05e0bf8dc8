"""What the caller of a transport meets when a call goes wrong: the errors and bodies of real networks and services."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random
from typing import Any

from botocore.exceptions import EndpointConnectionError, ReadTimeoutError
from requests.exceptions import RequestException

from infra.local.sandbox.wire import Response
from tests.simulation.faults import Mode
from tests.simulation.transports import dynamo_errors
from tests.simulation.transports import http_faults as http

CERTAINLY_NOT_DONE: Sequence[Callable[[], RequestException]] = (http.refused, http.connect_timed_out)
PERHAPS_DONE: Sequence[Callable[[], RequestException]] = (http.timed_out, http.connection_lost)
REFUSALS: Sequence[Callable[[], Response]] = (http.html, http.server_error, http.throttled, http.call_limit)
NO_ANSWER: Sequence[Callable[[Response], Response]] = (
    lambda _: http.html(200),
    lambda _: http.empty(),
    http.broken_off,
    http.truncated,
)
"""Of the venue's own answer nothing can be read."""

STRANGE: tuple[object, ...] = (None, {}, [], "no such word")


def venue_answer(mode: Mode, answer: Response | None, random: Random) -> Response:
    """Instead of the answer of one HTTP request. Raises what `requests` raises."""
    if mode in (Mode.LOST, Mode.LATE):
        raise random.choice(PERHAPS_DONE)()
    if mode is Mode.DOWN or (mode is Mode.ERROR and random.random() < 0.4):
        raise random.choice(CERTAINLY_NOT_DONE)()
    if mode is Mode.ERROR or answer is None:
        return random.choice(REFUSALS)()
    if random.random() < 0.4:
        return retyped(answer, random)
    return random.choice(NO_ANSWER)(answer)


def retyped(answer: Response, random: Random) -> Response:
    """A member of the answer's first level is of another kind: the rows themselves are never changed, as an answer
    that only lies cannot be told from a true one."""
    try:
        document = json.loads(answer.body)
    except ValueError:
        return answer
    names = [each for each in document if each not in ("serverTime", "result")] if isinstance(document, dict) else []
    if not names:
        return http.empty()
    name = random.choice(sorted(names))
    document[name] = random.choice([each for each in STRANGE if type(each) is not type(document[name])])
    return replace(answer, body=json.dumps(document, separators=(",", ":")).encode())


def store_answer(mode: Mode, operation: str, key: str, random: Random) -> Any:
    """Instead of the answer of one DynamoDB request. Raises what botocore raises once its retries are used up."""
    raise random.choice(_store_errors(mode, operation, key))


def _store_errors(mode: Mode, operation: str, key: str) -> list[Exception]:
    if mode is Mode.DOWN:
        return [dynamo_errors.unreachable(operation), dynamo_errors.connect_timed_out(operation)]
    if mode is not Mode.ERROR:
        return [
            dynamo_errors.timed_out(operation),
            dynamo_errors.connection_closed(operation),
            dynamo_errors.server_error(operation),
        ]
    errors: list[Exception] = [dynamo_errors.throttled(operation), dynamo_errors.server_error(operation)]
    if operation == "TransactWriteItems":
        errors.append(dynamo_errors.in_transaction(operation, key.count("+") + 1))
    return errors


def service_answer(mode: Mode, operation: str) -> Any:
    """Instead of the answer of SNS or Secrets Manager."""
    if mode is Mode.ERROR:
        raise dynamo_errors.refused(operation, "Throttling", "Rate exceeded")
    if mode is Mode.DOWN:
        raise EndpointConnectionError(endpoint_url="simulated")
    raise ReadTimeoutError(endpoint_url="simulated")
