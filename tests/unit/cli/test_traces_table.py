"""The table of a coin's decisions: what became of a signal stands under it, in the order in which it came."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from rich.console import Console

from infra.cli.traces import traces_table
from shared.storage.decisions import StageRecord
from tests.fakes.records import BAR, NOW
from tests.unit.control.records import decision
from trading.model.decisions import Outcome
from trading.model.instruments import InstrumentId

COIN = InstrumentId("BTC")


def stage(outcome: Outcome, minutes: int, rule: str = "") -> StageRecord:
    return StageRecord(
        instrument=COIN,
        decision_bar=BAR,
        outcome=outcome,
        sentence=f"It was {outcome}.",
        at=NOW + timedelta(minutes=minutes),
        rule=rule,
    )


def lines(*stages: StageRecord) -> list[str]:
    later = replace(decision(COIN, BAR + timedelta(hours=1)), sentence="The next one.")
    console = Console(width=120)
    with console.capture() as shown:
        console.print(traces_table(COIN, [decision(COIN, BAR), later], stages))
    return shown.get().splitlines()


def test_stages_stand_under_their_decision() -> None:
    shown = lines(
        stage(Outcome.EXIT, 90, "time_exit"), stage(Outcome.SENT, 1), stage(Outcome.STOP_MOVED, 30, "trailing")
    )
    found = [
        next(number for number, line in enumerate(shown) if f"It was {name}." in line)
        for name in (Outcome.SENT, Outcome.STOP_MOVED, Outcome.EXIT)
    ]
    assert found == list(range(found[0], found[0] + 3))
    assert "05-01T11:30" in shown[found[2]]
    assert "then EXIT" in shown[found[2]]
    assert "The next one." in shown[found[2] + 1]


def test_decision_without_stages_stands_alone() -> None:
    assert len(lines()) + 1 == len(lines(stage(Outcome.SENT, 1)))
