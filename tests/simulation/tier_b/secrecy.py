"""S30: neither metrics, logs, answers, alerts nor stored items hold the venue's key."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import chain
from typing import Any, cast

from tests.fakes.cloud import DECISIONS, LEDGER, MARKET
from tests.simulation.judge import Invariant
from tests.simulation.kernel import Process
from tests.simulation.tier_b.world import WorldB


class NothingSecretLeaves(Invariant):
    """S30. What is printed is judged as it is printed; the stores at the end."""

    name = "S30"

    @property
    def _world(self) -> WorldB:
        return cast(WorldB, cast(Any, self.world))

    def ended(self, process: Process) -> Iterator[str]:
        output = self._world.output
        self.examined += 1
        output.look(repr(process.answer if process.failure is None else process.failure))
        for leak in output.leaks:
            yield f"by {process.invocation.name} at the latest the key was printed: {leak}"
        output.leaks.clear()

    def quiet(self) -> Iterator[str]:
        stack, output = self._world.stack, self._world.output
        stored = chain.from_iterable(stack.dynamo.items(table) for table in (LEDGER, MARKET, DECISIONS))
        for key, item in stored:
            self.examined += 1
            output.look(f"{key} {json.dumps(item, default=repr)}")
        for message in stack.services.published:
            self.examined += 1
            output.look(f"{message.subject} {message.body}")
        for leak in output.leaks:
            yield f"the key was stored or sent: {leak}"
