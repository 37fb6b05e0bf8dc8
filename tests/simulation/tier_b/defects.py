"""Mistakes of adapters and stores, planted one at a time: tier A has neither, so tier B must see them.

`python -m tests.simulation.tier_b.defects [--only N]` looks for each until it is seen.
"""

from __future__ import annotations

import argparse
import gc
import sys
from collections.abc import Sequence
from typing import Any

from shared.venue import kraken_rest
from shared.venue.received import Lost, Outcome
from shared.venue.transport import Wire
from tests.simulation.campaign import simulate
from tests.simulation.defects.planting import Defect, planted
from trading.model.venue import SendAnswer, SendOutcome

DAYS = 20


def _silence_is_refusal(classify: Any) -> Any:
    def classifying(outcome: Outcome) -> SendAnswer:
        if isinstance(outcome, Lost):
            return SendAnswer(outcome=SendOutcome.REJECTED, detail="invalidSize")
        return classify(outcome)  # type: ignore[no-any-return]

    return classifying


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
