"""What the venue says about contracts under stress (`instruments/status`), in the terms of `trading.ports`."""

from __future__ import annotations

from decimal import Decimal

from pydantic import StrictBool

from shared.venue.named_rows import NAMELESS, named_rows
from shared.venue.reading import Answer
from shared.venue.wire_types import Body, OptionalNumber, Upper
from trading.errors import VenueAnswerInvalid
from trading.model.venue import ContractStress

NO_MULTIPLIER = Decimal(1)


class InstrumentStatusRow(Body):
    """`tradeable` names the contract. The flags must be JSON booleans: a text might mean either."""

    tradeable: Upper
    experiencing_dislocation: StrictBool
    experiencing_extreme_volatility: StrictBool
    extreme_volatility_initial_margin_multiplier: OptionalNumber = None


class InstrumentStatusAnswer(Answer):
    """The venue lists every contract, calm ones too. Rows are validated one by one, to say which one is wrong."""

    required_key = "instrumentStatus"
    instrument_status: list[dict[str, object]]


def stress_by_contract(answer: InstrumentStatusAnswer) -> dict[str, ContractStress]:
    """Contracts with something to say; one that is calm, or not named at all, is not in it.

    A row that cannot be read is given as that: leaving it out would call its contract calm, and one bad row must not
    hide all others. A row without a name may be about any contract: VenueAnswerInvalid.
    """
    rows, unreadable = named_rows(answer.instrument_status, InstrumentStatusRow, "tradeable")
    found = {}
    for row in rows:
        multiplier = _multiplier(row)
        if multiplier is None:
            unreadable[row.tradeable] = (
                f"extremeVolatilityInitialMarginMultiplier is {row.extreme_volatility_initial_margin_multiplier} with "
                f"experiencingExtremeVolatility {row.experiencing_extreme_volatility}; expected 1 or more"
            )
        elif _says_something(stress := _stress(row, multiplier)):
            found[row.tradeable] = stress
    return found | {name.upper(): _unreadable(name, why) for name, why in unreadable.items()}


def _unreadable(name: str, why: str) -> ContractStress:
    if name.startswith(NAMELESS):
        raise VenueAnswerInvalid(f"venue answered instruments/status with {name}: {why}")
    return ContractStress(
        contract=name.upper(),
        dislocated=False,
        extreme_volatility=False,
        margin_multiplier=NO_MULTIPLIER,
        unreadable=why,
    )


def _multiplier(row: InstrumentStatusRow) -> Decimal | None:
    """None when it cannot be. The multiplier belongs to extreme volatility: without it, none has to be given."""
    stated = row.extreme_volatility_initial_margin_multiplier
    if stated is None:
        return None if row.experiencing_extreme_volatility else NO_MULTIPLIER
    return stated if stated >= NO_MULTIPLIER else None


def _stress(row: InstrumentStatusRow, multiplier: Decimal) -> ContractStress:
    return ContractStress(
        contract=row.tradeable,
        dislocated=row.experiencing_dislocation,
        extreme_volatility=row.experiencing_extreme_volatility,
        margin_multiplier=multiplier,
    )


def _says_something(stress: ContractStress) -> bool:
    return stress.dislocated or stress.extreme_volatility or stress.margin_multiplier != NO_MULTIPLIER
