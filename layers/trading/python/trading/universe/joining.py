"""Joins spot pairs and perpetual contracts by the venue's own base and quote codes; never by symbol text.

Every market that is left out is named with a reason: that list is the gap report.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from trading.errors import InvalidInput
from trading.model.instruments import Instrument, InstrumentId, Tier, Universe
from trading.model.units import Quantity
from trading.model.venue import ListedContract, ListedPair, Quote
from trading.rules import UniverseRules
from trading.universe.tiers import NotLiquid, tier_of

Kind = TypeVar("Kind")

QUOTE_CURRENCY = "USD"
LINEAR_KIND = "flexible_futures"
"""The venue's word for its multi-collateral linear contracts; everything else is inverse or of an older kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Markets:
    """What the venue lists now. `quotes` by contract; `refused`: contracts that could not be read, and why."""

    pairs: Sequence[ListedPair]
    contracts: Sequence[ListedContract]
    quotes: Mapping[str, Quote]
    refused: Sequence[tuple[str, str]] = ()


@dataclass(slots=True)
class _Report:
    left_out: dict[str, str] = field(default_factory=dict)

    def drop(self, market: str, reason: str) -> None:
        self.left_out[market] = reason


def join(markets: Markets, rules: UniverseRules) -> Universe:
    """The universe of these markets under these rules, in order of its ids."""
    report = _Report(left_out={contract: f"nonsense: {reason}" for contract, reason in markets.refused})
    contracts = _one_per_base(((each.base, each.contract, each) for each in _usable(markets.contracts, report)), report)
    pairs = _one_per_base(((each.base, each.pair, each) for each in _online(markets.pairs, report)), report)
    instruments = []
    for base, contract in sorted(contracts.items()):
        pair = pairs.get(base)
        if pair is None:
            report.drop(contract.contract, f"no online spot pair {base}/{QUOTE_CURRENCY}")
            continue
        tier = _tier(base, markets.quotes.get(contract.contract), rules)
        if isinstance(tier, NotLiquid):
            report.drop(contract.contract, tier.reason)
            continue
        try:
            instruments.append(_instrument(pair, contract, tier))
        except InvalidInput as error:
            # One contract with terms that cannot be must not cost us the other coins.
            report.drop(contract.contract, f"nonsense: {error}")
    for base in sorted(pairs.keys() - contracts.keys()):
        report.drop(pairs[base].pair, f"no tradeable perpetual of {base}")
    return Universe(instruments=tuple(instruments), left_out=tuple(sorted(report.left_out.items())))


def _usable(contracts: Iterable[ListedContract], report: _Report) -> Iterable[ListedContract]:
    for contract in contracts:
        reason = _contract_flaw(contract)
        if reason is None:
            yield contract
        else:
            report.drop(contract.contract, reason)


def _contract_flaw(contract: ListedContract) -> str | None:
    if contract.kind != LINEAR_KIND:
        return f"kind {contract.kind} is not {LINEAR_KIND} (inverse or old)"
    if contract.quote != QUOTE_CURRENCY:
        return f"quoted in {contract.quote}, not {QUOTE_CURRENCY}"
    if not contract.perpetual:
        return "dated, not perpetual"
    if not contract.tradeable:
        return "not tradeable"
    return None if contract.margin_levels else "no margin levels"


def _online(pairs: Iterable[ListedPair], report: _Report) -> Iterable[ListedPair]:
    for pair in pairs:
        if pair.quote != QUOTE_CURRENCY:
            report.drop(pair.pair, f"quoted in {pair.quote}, not {QUOTE_CURRENCY}")
        elif not pair.online:
            report.drop(pair.pair, "not online")
        else:
            yield pair


def _one_per_base(listed: Iterable[tuple[str, str, Kind]], report: _Report) -> dict[str, Kind]:
    """The first by name where the venue lists several of one coin; the choice must not depend on the answer's order."""
    chosen: dict[str, Kind] = {}
    for base, name, market in sorted(listed, key=lambda each: each[:2]):
        if base in chosen:
            report.drop(name, f"another market of {base} is used")
        else:
            chosen[base] = market
    return chosen


def _tier(base: str, quote: Quote | None, rules: UniverseRules) -> Tier | NotLiquid:
    if base in rules.blocked:
        return NotLiquid(reason="blocked by the rules")
    if base in rules.excluded_bases:
        return NotLiquid(reason="fiat or stablecoin base")
    if rules.allowed and base not in rules.allowed:
        return NotLiquid(reason="not on the allow list")
    return Tier.A if base in rules.pinned else tier_of(quote, rules)


def _instrument(pair: ListedPair, contract: ListedContract, tier: Tier) -> Instrument:
    return Instrument(
        id=InstrumentId(contract.base),
        spot_pair=pair.pair,
        contract=contract.contract,
        tick=contract.tick,
        step=contract.step,
        # The venue names no minimum: one step is the smallest order it takes.
        minimum=Quantity(contract.step),
        maximum_position=contract.maximum_position,
        margin_levels=contract.margin_levels,
        maker_fee=contract.maker_fee,
        taker_fee=contract.taker_fee,
        tier=tier,
    )
