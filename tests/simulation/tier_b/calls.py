"""Every request of a transport as a call of the kernel, which decides when it happens and whether it ever does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from random import Random
from typing import Any

from infra.local.sandbox.wire import Response
from tests.simulation.faults import Mode
from tests.simulation.kernel import Call, Kernel
from tests.simulation.ports import STORE_TIMEOUT_MS, TOPIC_TIMEOUT_MS, VENUE_TIMEOUT_MS
from tests.simulation.tier_b import spoiling
from tests.simulation.tier_b.naming import WRITING, Endpoint, endpoint, store_call
from tests.simulation.tier_b.venue import VenueOverHttp
from tests.simulation.transports import aws, dynamo, http


@dataclass(frozen=True)
class KernelCalls:
    """The hooks of the three transports."""

    kernel: Kernel
    venue: VenueOverHttp

    def store(self, operation: str, table: str, key: str, run: dynamo.Run) -> Any:
        name = store_call(operation, table, key)
        dice = self._dice()
        return self.kernel.io(
            Call(
                kind="store",
                name=name,
                effect=run,
                spoiled=lambda mode, _answer: spoiling.store_answer(mode, operation, key, dice),
                writes=operation in WRITING,
                timeout_ms=STORE_TIMEOUT_MS,
                subject=key.split("/", 1)[-1][:40] if name == "control.record_run" else "",
            )
        )

    def service(self, service: str, operation: str, subject: str, run: aws.Run) -> Any:
        """A topic's trouble is judged as such; a secret is one more record to read."""
        topic = service == "sns"
        return self.kernel.io(
            Call(
                kind="topic" if topic else "store",
                name=operation.lower() if topic else f"{service}.{operation}",
                effect=run,
                spoiled=lambda mode, _answer: spoiling.service_answer(mode, operation),
                writes=topic,
                timeout_ms=TOPIC_TIMEOUT_MS if topic else STORE_TIMEOUT_MS,
            )
        )

    def over_http(self, method: str, path: str, parameters: Mapping[str, str], run: http.Run) -> Response:
        asked = endpoint(method, path, parameters)
        dice = self._dice()

        def effect() -> Response:
            return self._arrived(asked, parameters, run)

        def stale(age_s: float) -> Response:
            return self._arrived(asked, parameters, lambda: self.venue.wire.stale(run, ceil(age_s)))

        def spoiled(mode: Mode, answer: Response | None) -> Response:
            return spoiling.venue_answer(mode, answer, dice)

        found: Response = self.kernel.io(
            Call(
                kind=asked.kind,
                name=asked.name,
                effect=effect,
                spoiled=spoiled,
                writes=asked.writes,
                timeout_ms=VENUE_TIMEOUT_MS,
                stale=None if asked.writes or asked.kind == "spot" else stale,
                subject=asked.subject,
            )
        )
        return found

    def _arrived(self, asked: Endpoint, parameters: Mapping[str, str], run: http.Run) -> Response:
        self.venue.catch_up(self.kernel.now())
        if asked.name == "place":
            self.venue.note_placed(parameters)
        return run()

    def _dice(self) -> Random:
        """Of this one call: a fault that is taken out of a run changes no other."""
        process = self.kernel.current()
        return Random(f"{process.invocation.name}#{process.calls} spoiled" if process else 0)
