"""A contract's stress as the control plane and the state file write it."""

from __future__ import annotations

from typing import Any

from infra.local.sandbox.wire import text
from trading.errors import InvalidInput
from trading.matching import Dislocation, Stress
from trading.model.units import to_decimal

NAMES = ("extreme_volatility", "margin_multiplier", "dislocation")


def stress_from(document: Any) -> Stress:
    """`{"extreme_volatility": true, "margin_multiplier": "2", "dislocation": "ABOVE_UPPER_BOUND"}`, each optional.

    An empty object calms the contract. Raises InvalidInput, or ValueError for an unknown dislocation.
    """
    if not isinstance(document, dict) or not document.keys() <= set(NAMES):
        raise InvalidInput(f"stress is {document!r}, expected an object of {', '.join(NAMES)}")
    volatile = document.get("extreme_volatility", False)
    if not isinstance(volatile, bool):
        raise InvalidInput(f"extreme_volatility is {volatile!r}, expected true or false")
    word = document.get("dislocation")
    return Stress(
        extreme_volatility=volatile,
        initial_margin_multiplier=to_decimal(document.get("margin_multiplier", 1), "margin_multiplier"),
        dislocation=None if word is None else Dislocation(word),
    )


def stress_document(stress: Stress) -> dict[str, Any]:
    return {
        "extreme_volatility": stress.extreme_volatility,
        "margin_multiplier": text(stress.initial_margin_multiplier),
        "dislocation": None if stress.dislocation is None else stress.dislocation.value,
    }
