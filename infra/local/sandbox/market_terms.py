"""Terms of a contract that the venue changes from time to time, as the control plane and the state file write them."""

from __future__ import annotations

from typing import Any

from trading.errors import InvalidInput
from trading.matching import MarginTier
from trading.model.units import to_decimal

NAMES = ("tick_size", "size_step", "margin_tiers")
TIER_NAMES = ("from_notional", "initial", "maintenance")


def market_terms(document: Any) -> dict[str, Any]:
    """Arguments of `MatchingEngine.set_terms` from `{"tick_size": "0.5", "size_step": "0.001", "margin_tiers": [...]}`.

    Each is optional; a tier is `{"from_notional": "0", "initial": "0.02", "maintenance": "0.01"}`. Raises InvalidInput.
    """
    if not isinstance(document, dict) or not document or not document.keys() <= set(NAMES):
        raise InvalidInput(f"terms are {document!r}, expected an object of {', '.join(NAMES)}")
    terms: dict[str, Any] = {
        name: to_decimal(document[name], name) for name in ("tick_size", "size_step") if name in document
    }
    if "margin_tiers" in document:
        terms["margin_tiers"] = tuple(map(_tier, document["margin_tiers"]))
    step = terms.get("size_step")
    if step is not None and (step <= 0 or step.normalize().as_tuple().digits != (1,)):
        raise InvalidInput(f"size_step is {step}, expected a power of ten: the venue writes it as a precision")
    return terms


def _tier(document: Any) -> MarginTier:
    if not isinstance(document, dict) or document.keys() != set(TIER_NAMES):
        raise InvalidInput(f"margin tier is {document!r}, expected an object of {', '.join(TIER_NAMES)}")
    return MarginTier(**{name: to_decimal(document[name], name) for name in TIER_NAMES})
