"""Mistakes of adapters and stores, planted one at a time: tier A has neither, so tier B must see them.

`python -m tests.simulation.tier_b.defects [--only N]` looks for each until it is seen.
"""

from __future__ import annotations

import argparse
import gc
import sys
from collections.abc import Sequence
from typing import Any

from shared.storage import ledger
from shared.storage.ledger import Ledger
from shared.venue import kraken_rest
from shared.venue.kraken_rest import KrakenRestVenue
from shared.venue.received import Lost, Outcome
from shared.venue.transport import Wire
from tests.simulation.campaign import simulate
from tests.simulation.defects.planting import Defect, planted
from trading.errors import VenueAnswerInvalid, VenueUnavailable
from trading.model.venue import CancelAnswer, SendAnswer, SendOutcome

DAYS = 20
EMPTY: dict[str, object] = {"result": "success", "openOrders": [], "openPositions": [], "fills": []}


def _silence_is_refusal(classify: Any) -> Any:
    def classifying(outcome: Outcome) -> SendAnswer:
        if isinstance(outcome, Lost):
            return SendAnswer(outcome=SendOutcome.REJECTED, detail="invalidSize")
        return classify(outcome)  # type: ignore[no-any-return]

    return classifying


def _unreadable_is_empty(read: Any) -> Any:
    def reading(outcome: Outcome, path: str, model: Any, **options: bool) -> Any:
        try:
            return read(outcome, path, model, **options)
        except (VenueAnswerInvalid, VenueUnavailable):
            if path not in ("openorders", "openpositions", "fills"):
                raise
            return model.model_validate(EMPTY)

    return reading


def _writes_over(_save: Any) -> Any:
    def saving(item: Any, _expected: int, _what: str) -> None:
        item.save()

    return saving


def _without_fence(_allowed: Any) -> Any:
    return lambda _ledger, _transaction, _version: None


def _doubt_is_gone(cancel: Any) -> Any:
    def cancelling(venue: KrakenRestVenue, which: dict[str, str]) -> CancelAnswer:
        try:
            return cancel(venue, which)  # type: ignore[no-any-return]
        except VenueUnavailable:
            return CancelAnswer(gone=True, detail="cancelled")

    return cancelling


def _stops_may_open(parameters: Any) -> Any:
    def writing(request: Any) -> dict[str, str]:
        return {**parameters(request), "reduceOnly": "false"}

    return writing


def _prints_the_secret(call: Any) -> Any:
    def calling(wire: Wire, method: str, parameters: Any = None) -> Outcome:
        print(f"{method} signed with {wire._exchange.secret}")
        return call(wire, method, parameters)  # type: ignore[no-any-return]

    return calling


ADAPTER_DEFECTS: tuple[Defect, ...] = (
    Defect(
        name="no answer to a send is taken for a refusal",
        story="by exception class: a timeout raised what a refusal raised",
        plant=planted((kraken_rest, "classify_send", _silence_is_refusal)),
        profiles=("targeted",),
    ),
    Defect(
        name="a read that failed is an empty list",
        story="`.get('openPositions', [])` on an error page",
        plant=planted((kraken_rest, "read_answer", _unreadable_is_empty)),
        profiles=("storm",),
    ),
    Defect(
        name="a record is saved without its version",
        story="a put in the place of a conditional one",
        plant=planted((ledger, "save_at_version", _writes_over)),
        profiles=("storm",),
    ),
    Defect(
        name="the send of an entry is not fenced",
        story="the switch was read at the start of the run only",
        plant=planted((Ledger, "_entries_allowed", _without_fence)),
        profiles=("human",),
    ),
    Defect(
        name="a cancel without an answer counts as done",
        story="the error was swallowed in the adapter",
        plant=planted((KrakenRestVenue, "_cancel", _doubt_is_gone)),
        profiles=("storm", "human"),
    ),
    Defect(
        name="reduce-only is not written into the request",
        story="the parameter's name was spelled for another exchange",
        plant=planted((kraken_rest, "send_parameters", _stops_may_open)),
        profiles=("swarm",),
    ),
    Defect(
        name="the key is printed",
        story="requests were logged with their headers",
        plant=planted((Wire, "call", _prints_the_secret)),
        profiles=("calm",),
    ),
)


def hunt(defect: Defect, days: int = DAYS) -> str:
    """One line: after how many days which rule saw it, or that none did."""
    cpu_s = 0.0
    for day in range(days):
        with defect.plant():
            result = simulate(day, defect.profiles[day % len(defect.profiles)], tier="B")
        cpu_s += result.cpu_s
        gc.collect()
        for found in result.violations:
            return f"{defect.name}: {found.name} after {day + 1} days, {cpu_s:.0f} CPU-s: {found.text[:160]}"
    return f"{defect.name}: NOT SEEN in {days} days, {cpu_s:.0f} CPU-s"


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", type=int, choices=range(len(ADAPTER_DEFECTS)))
    parser.add_argument("--days", type=int, default=DAYS)
    given = parser.parse_args(arguments)
    chosen = ADAPTER_DEFECTS if given.only is None else ADAPTER_DEFECTS[given.only : given.only + 1]
    missed = 0
    for defect in chosen:
        told = hunt(defect, given.days)
        missed += "NOT SEEN" in told
        print(told, flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
