"""What became of a signal stands in its trace, whoever carried its entry out."""

from __future__ import annotations

import pytest

from functions.execute_signals import take
from tests.fakes.records import BAR
from tests.integration.trading.world import World
from trading.model.decisions import Outcome
from trading.model.positions import Position


def outcomes(world: World) -> list[Outcome]:
    return [each.outcome for each in world.cloud.decisions.stages(BAR)]


def test_entry_sent_by_a_later_run_is_traced(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(_desk: object, _position: Position, *_rest: object) -> Position:
        raise SystemExit("killed after the plan")

    world.add_signal()
    with monkeypatch.context() as patch:
        patch.setattr(take, "carry_on", killed)
        with pytest.raises(SystemExit):
            world.execute()
    assert outcomes(world) == []
    world.execute()
    assert world.entries_placed() == 1
    assert outcomes(world) == [Outcome.SENT]


def test_trace_of_a_sent_entry_keeps_its_limits(world: World) -> None:
    world.add_signal()
    world.execute()
    world.execute()
    (record,) = world.cloud.decisions.stages(BAR)
    assert record.details
