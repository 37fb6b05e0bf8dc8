"""What a person means who names a coin: its contract, whoever can name it just now.

The universe may be unreadable, a record may be, or stand beside another one under its contract's name, and the venue
knows contracts only. Whatever is read is therefore compared by contract.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from functions.control_trading.payloads import ALL
from shared.venue.asset_codes import common_code
from trading.model.instruments import Universe
from trading.model.positions import Position
from trading.reconciliation.adopting import market_name

NO_UNIVERSE = Universe(instruments=())
_CODE_IN_CONTRACT = re.compile(r"PF_([A-Z0-9]+)USD")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """`asked`: ALL, a coin or a contract. `names`: contract to coin. `contracts`: what `asked` names for certain."""

    asked: str
    names: Mapping[str, str]
    contracts: frozenset[str]

    def covers(self, contract: str) -> bool:
        return self.asked in (ALL, contract, self.name_of(contract)) or contract in self.contracts

    def covers_unreadable(self, sentence: str) -> bool:
        """`sentence`: what the ledger says of a record that does not decode; it opens with the record's name."""
        name = _name_in(sentence)
        return self.covers(name) or name in {self.name_of(each) for each in {self.asked, *self.contracts}}

    def name_of(self, contract: str) -> str:
        """Of a contract that nothing names, the coin's code inside it: only to understand what a person types."""
        return self.names.get(contract) or coin_inside(contract) or contract

    def means_something(self, contracts: Iterable[str], unreadable: Iterable[str]) -> bool:
        """`contracts`: what the venue holds."""
        known = any(self.covers(each) for each in (*self.names, *contracts))
        return known or any(self.covers_unreadable(each) for each in unreadable)

    def coins(self, unreadable: Iterable[str]) -> list[str]:
        return sorted({*self.names.values(), *map(_name_in, unreadable)})


def scope_of(asked: str, universe: Universe, positions: Iterable[Position]) -> Scope:
    """The universe's name of a contract wins over a record's, which may stand under the contract's own name."""
    named = {(each.contract, str(each.id)) for each in universe.instruments}
    recorded = {(each.contract, market_name(each.instrument)) for each in positions}
    recorded = {(contract, name) for contract, name in recorded if contract != name}
    return Scope(
        asked=asked,
        names=dict(recorded) | dict(named),
        contracts=frozenset(contract for contract, name in named | recorded if name == asked),
    )


def coin_inside(contract: str) -> str:
    """`BTC` of PF_XBTUSD; empty for what is no perpetual's name."""
    found = _CODE_IN_CONTRACT.fullmatch(contract)
    return common_code(found[1]) if found else ""


def _name_in(sentence: str) -> str:
    return market_name(sentence.partition(":")[0])
