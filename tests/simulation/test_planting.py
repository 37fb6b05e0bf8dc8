"""A defect is planted so that the product, not the plant, goes wrong; afterwards the product is as it was."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from tests.simulation.defects import DEFECTS
from tests.simulation.defects.planting import Defect, planted
from tests.simulation.tier_b.defects import ADAPTER_DEFECTS

EVERY = (*DEFECTS, *ADAPTER_DEFECTS)


def counting(one: int, *, by: int) -> int:
    return one + by


@pytest.mark.parametrize("defect", EVERY, ids=lambda each: each.name)
def test_every_defect_fits_where_it_goes(defect: Defect) -> None:
    with defect.plant():
        pass


def test_plant_with_too_few_parameters_is_refused() -> None:
    owner = SimpleNamespace(counting=counting)

    def short(_before: Any) -> Any:
        return lambda one: one

    with (
        pytest.raises(ValueError, match=r"planted for counting\(.*\) -> 'int' does not fit"),
        planted((owner, "counting", short))(),
    ):
        pass
    assert owner.counting is counting


def test_what_was_planted_is_taken_out_again() -> None:
    owner = SimpleNamespace(counting=counting)
    with planted((owner, "counting", lambda before: lambda one, *, by: before(one, by=by) + 1))():
        assert owner.counting(1, by=1) == 3
    assert owner.counting is counting
