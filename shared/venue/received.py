"""What a request brought back: an answer that was received whole, or nothing to go by.

Everything is judged by this and never by ccxt's result or the class of its exception (contract, section 10).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal

SHOWN_CHARACTERS = 80
"""How much of an unexpected answer is quoted in an error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A complete HTTP answer."""

    status: int
    text: str

    def document(self) -> dict[str, object] | None:
        """The JSON object of the body with exact numbers, None when the body is anything else."""
        try:
            parsed = json.loads(self.text, parse_float=Decimal, parse_constant=_refuse_constant)
        except (ValueError, ArithmeticError, RecursionError):
            return None
        return parsed if isinstance(parsed, dict) else None

    def shown(self) -> str:
        """The first characters of the body for an error message."""
        return repr(self.text[:SHOWN_CHARACTERS])


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """No complete answer: timed out, refused, cut off. What was sent may or may not have arrived."""

    detail: str


Outcome = Received | Lost


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON number")
