"""What the venue lists, with what it lists in a way that cannot be used."""

from __future__ import annotations

from dataclasses import dataclass

from trading.model.venue import ListedContract


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractListing:
    """`refused`: contract and the reason, naming the value, for every listed contract that is nonsense."""

    contracts: tuple[ListedContract, ...]
    refused: tuple[tuple[str, str], ...] = ()
