from __future__ import annotations

from dataclasses import replace

import pytest

from tests.fakes.records import filled, waiting
from trading.execution.flattening import under_kill_level
from trading.model.control import KillLevel
from trading.model.positions import PositionState
from trading.model.units import Quantity

HELD = [PositionState.PROTECTED, PositionState.UNPROTECTED, PositionState.FOREIGN]


@pytest.mark.parametrize("level", list(KillLevel))
@pytest.mark.parametrize("state", HELD)
def test_held_position_is_closed_from_k3(level: KillLevel, state: PositionState) -> None:
    found = under_kill_level(filled(state=state), level)
    assert (found.state is PositionState.CLOSING) is (level >= KillLevel.FLATTEN)
    assert found.close_reason == ("flatten" if level >= KillLevel.FLATTEN else "")


def test_position_without_quantity_is_left_to_others() -> None:
    for position in (waiting(), filled(quantity=Quantity(0)), filled(state=PositionState.CLOSING)):
        assert under_kill_level(position, KillLevel.LOCK) == position


def test_earlier_reason_to_close_is_kept() -> None:
    position = replace(filled(), close_reason="premise")
    assert under_kill_level(position, KillLevel.FLATTEN).close_reason == "premise"
