"""Several runs at once, one step at a time: a seed decides who takes the next step at every call of store or venue."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Any, TypeVar

from pynamodb.connection.base import Connection

Result = TypeVar("Result")
PATIENCE = 30
"""Seconds after which a run that never gets the baton is an error of the test."""


class Baton:
    """Only who holds it runs. `restless`: how often it changes hands at a call, 0 never to 1 at every one."""

    def __init__(self, seed: int, restless: float) -> None:
        self._random = Random(seed)
        self._restless = restless
        self._turn = threading.Condition()
        self._here = threading.local()
        self._waiting: list[int] = []
        self._holder = -1
        self.hands: list[int] = []

    def call(self) -> None:
        """At every call of a run; whoever is no run (the test itself) passes freely."""
        number = getattr(self._here, "number", None)
        if number is None:
            return
        with self._turn:
            if self._random.random() < self._restless:
                self._give()
                self._wait(number)

    def race(self, runs: Sequence[Callable[[], Result]]) -> list[Result]:
        """What the runs returned, in their order; raises what one of them raised."""
        self._waiting = list(range(len(runs)))
        with ThreadPoolExecutor(len(runs)) as pool:
            racing = [pool.submit(self._run, number, run) for number, run in enumerate(runs)]
            with self._turn:
                self._give()
            return [each.result() for each in racing]

    def _run(self, number: int, run: Callable[[], Result]) -> Result:
        self._here.number = number
        with self._turn:
            self._wait(number)
        try:
            return run()
        finally:
            with self._turn:
                self._waiting.remove(number)
                self._give()

    def _give(self) -> None:
        self._holder = self._random.choice(self._waiting) if self._waiting else -1
        self.hands.append(self._holder)
        self._turn.notify_all()

    def _wait(self, number: int) -> None:
        assert self._turn.wait_for(lambda: self._holder == number, PATIENCE), f"run {number} was never given the baton"


class HandedVenue:
    """A venue in front of each of whose calls the baton may change hands."""

    def __init__(self, venue: Any, baton: Baton) -> None:
        self._venue = venue
        self._baton = baton

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._venue, name)
        if not callable(call) or name == "now":
            return call

        def handed(*arguments: Any, **named: Any) -> Any:
            self._baton.call()
            return call(*arguments, **named)

        return handed


def hand_over_at_every_store_call(monkeypatch: Any, baton: Baton) -> None:
    """Before each operation that PynamoDB sends, reads and conditional writes alike."""
    send = Connection._make_api_call

    def handed(connection: Any, operation: str, arguments: dict[str, Any]) -> Any:
        baton.call()
        return send(connection, operation, arguments)

    monkeypatch.setattr(Connection, "_make_api_call", handed)
