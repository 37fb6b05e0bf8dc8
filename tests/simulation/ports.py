"""Ports as a process sees them: every call of venue, store or topic goes through the kernel and may be spoiled."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, cast

from botocore.exceptions import ClientError, ReadTimeoutError
from pynamodb.exceptions import GetError, PutError, QueryError, TransactWriteError, UpdateError

from shared.storage.control import ControlStore
from tests.simulation.faults import Mode
from tests.simulation.kernel import Call, Kernel
from tests.simulation.memory.alerts import MemoryAlerts
from tests.simulation.memory.tables import MemoryTables
from tests.simulation.venue import SimulatedVenue
from trading.errors import VenueAnswerInvalid, VenueAuthenticationFailed, VenueUnavailable
from trading.model.alerts import Alert
from trading.model.orders import OrderRequest
from trading.model.venue import CancelAnswer, SendAnswer, SendOutcome

VENUE_TIMEOUT_MS = 5_000
STORE_TIMEOUT_MS = 3_000
"""Connect 1 s, read 2 s; the retries of the client are part of its latency."""

TOPIC_TIMEOUT_MS = 2_000


class VenueThroughKernel:
    """`trading.ports.Venue` for processes. `revoked()` says whether the key works now."""

    def __init__(self, kernel: Kernel, venue: SimulatedVenue, revoked: Callable[[], bool]) -> None:
        self._kernel = kernel
        self._venue = venue
        self._revoked = revoked

    def place(self, request: OrderRequest) -> SendAnswer:
        answer: SendAnswer = self._io(
            "place", partial(self._venue.place, request), _unknown_send, request.client_order_id
        )
        return answer

    def cancel(self, client_order_id: str) -> CancelAnswer:
        answer: CancelAnswer = self._io(
            "cancel", partial(self._venue.cancel, client_order_id), _no_answer, client_order_id
        )
        return answer

    def cancel_order(self, order_id: str) -> CancelAnswer:
        answer: CancelAnswer = self._io(
            "cancel_order", partial(self._venue.cancel_order, order_id), _no_answer, order_id
        )
        return answer

    def __getattr__(self, name: str) -> Any:
        """The reads."""
        method = getattr(self._venue, name)
        older = getattr(self._venue, f"{name}_of", None)

        def read(*arguments: Any) -> Any:
            stale = partial(_older, older, arguments) if older is not None else None
            return self._io(name, partial(method, *arguments), _no_answer, "", stale)

        return read

    def _io(
        self,
        name: str,
        work: Callable[[], Any],
        spoiled: Callable[[Mode, Any], Any],
        subject: str,
        stale: Callable[[float], Any] | None = None,
    ) -> Any:
        def effect() -> Any:
            self._venue.catch_up(self._kernel.now())
            if self._revoked():
                return _refused_key(name)
            return work()

        return self._kernel.io(
            Call(
                kind="venue",
                name=name,
                effect=effect,
                spoiled=spoiled,
                writes=name in ("place", "cancel", "cancel_order"),
                timeout_ms=VENUE_TIMEOUT_MS,
                stale=stale,
                subject=subject,
            )
        )


def _older(method: Callable[..., Any], arguments: tuple[Any, ...], age_s: float) -> Any:
    return (
        method(age_s, *arguments)
        if arguments
        else method(age_s)
        if method.__name__ != "fills_of"
        else method(age_s, None)
    )


def _refused_key(name: str) -> Any:
    if name == "place":
        return SendAnswer(outcome=SendOutcome.REJECTED, detail="authenticationError")
    raise VenueAuthenticationFailed(f"{name}: the venue refuses the key")


def _unknown_send(mode: Mode, _answer: Any) -> SendAnswer:
    return SendAnswer(outcome=SendOutcome.UNKNOWN, detail=f"no usable answer ({mode})")


def _no_answer(mode: Mode, _answer: Any) -> Any:
    if mode is Mode.GARBLED:
        raise VenueAnswerInvalid("the answer is not its documented body")
    raise VenueUnavailable(f"no usable answer ({mode})")


class SpotThroughKernel:
    """`trading.ports.SpotMarket` for processes."""

    def __init__(self, kernel: Kernel, spot: Any, catch_up: Callable[[], None]) -> None:
        self._kernel = kernel
        self._spot = spot
        self._catch_up = catch_up

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._spot, name)

        def read(*arguments: Any) -> Any:
            def effect() -> Any:
                self._catch_up()
                return method(*arguments)

            return self._kernel.io(
                Call(
                    kind="spot",
                    name=name,
                    effect=effect,
                    spoiled=_no_answer,
                    writes=False,
                    timeout_ms=VENUE_TIMEOUT_MS,
                )
            )

        return read


class StoreThroughKernel:
    """A store in memory for processes. A doubled or lost write is what PynamoDB's own retry makes of it: the second
    one meets the condition that the first one fulfilled."""

    def __init__(self, kernel: Kernel, store: Any, name: str) -> None:
        self._kernel = kernel
        self._store = store
        self._name = name

    def note_entry_answer(self, accepted: bool, limit: int) -> None:
        """The product's own loop: its reads and writes are calls of their own."""
        ControlStore.note_entry_answer(cast(ControlStore, self), accepted, limit)

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)
        if not callable(method):
            return method
        writes = name.startswith(_WRITING)
        called, spoiled = f"{self._name}.{name}", partial(_store_failed, name)

        def operate(*arguments: Any, **named: Any) -> Any:
            return self._kernel.io(
                Call(
                    kind="store",
                    name=called,
                    effect=partial(method, *arguments, **named),
                    spoiled=spoiled,
                    writes=writes,
                    timeout_ms=STORE_TIMEOUT_MS,
                    subject=str(arguments[0])[:40] if name == "record_run" else "",
                )
            )

        self.__dict__[name] = operate
        return operate


_WRITING = (
    "add",
    "save",
    "settle",
    "open_position",
    "adopt",
    "close",
    "set",
    "note",
    "record",
    "forget",
    "spend",
    "tell",
    "first",
)
_ERRORS: Mapping[str, Callable[[str, Exception], Exception]] = {
    "open_position": TransactWriteError,
    "save_entry_send": TransactWriteError,
    "close_position": TransactWriteError,
}


def _store_failed(name: str, mode: Mode, _answer: Any) -> Any:
    if mode is Mode.ERROR or mode is Mode.DOWN or mode is Mode.GARBLED:
        cause: Exception = ClientError(
            {"Error": {"Code": "ProvisionedThroughputExceededException", "Message": "throttled"}}, name
        )
    else:
        cause = ReadTimeoutError(endpoint_url="dynamodb")
    kind = _ERRORS.get(name) or (
        UpdateError
        if name.startswith(("settle", "note", "forget", "spend"))
        else PutError
        if name.startswith(_WRITING)
        else GetError
        if name in ("position", "book", "control", "risk_day", "read", "health")
        else QueryError
    )
    raise kind(f"{name} failed", cause) from cause


class AlertsThroughKernel(MemoryAlerts):
    """The real `tell`; publishing is a call of its own."""

    def __init__(self, kernel: Kernel, tables: MemoryTables, control_store: Any) -> None:
        super().__init__(tables, control_store)
        self._kernel = kernel

    def _publish(self, alert: Alert) -> None:
        self._kernel.io(
            Call(
                kind="topic",
                name="publish",
                effect=partial(super()._publish, alert),
                spoiled=_topic_failed,
                writes=True,
                timeout_ms=TOPIC_TIMEOUT_MS,
            )
        )


def _topic_failed(mode: Mode, _answer: Any) -> Any:
    if mode is Mode.ERROR:
        raise ClientError({"Error": {"Code": "Throttling", "Message": "slow down"}}, "Publish")
    raise ReadTimeoutError(endpoint_url="sns")
