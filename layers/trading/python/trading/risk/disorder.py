"""Market disorder: what one look at the tickers finds, and where no entry may go out for a while because of it.

A contract is in disorder when its mark jumped within the window, when mark and index are torn apart, when the venue
reports a dislocation or extreme volatility, when that report cannot be read, or when it is halted. Its pause is renewed
by every look that still finds it. A major in disorder, several contracts shaken together, or a venue that has halted
most of its contracts pause everything. A coin that stays torn for hours holds up itself only: what counts for all is
who *began* to shake together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Context, Decimal

from trading.model.disorder import EVERYWHERE, DisorderPause, MarketSight, MarketWatch, SeenMarks
from trading.model.units import Price, plain
from trading.model.venue import ContractStress, Quote
from trading.rules import RiskRules

PERCENT = Decimal(100)
REMEMBERED_APART = timedelta(seconds=45)
"""Looks nearer to the last remembered one are not remembered: runs in quick succession (a message, a repeated run)
must not push out the older marks that a jump is measured against."""
TOGETHER = timedelta(seconds=60)
"""Contracts that began to shake this near to each other shake together: they need not fall into the same run."""
DIGITS = Context(prec=6)
"""Significant digits of a remembered mark: the venue sends 16, a jump is measured in percent."""
NAMED = 3
"""Contracts that the words of a market-wide pause name; all of them are in their own pauses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Finding:
    """One contract in disorder. `shaken`: its price, not only its trading."""

    contract: str
    why: str
    shaken: bool


def watch_quotes(before: MarketWatch | None, sight: MarketSight, rules: RiskRules) -> MarketWatch:
    """The watch after this look, at the version of `before`: marks to remember and the pauses that hold from now on."""
    before = before or MarketWatch()
    if not rules.disorder:
        return MarketWatch(version=before.version)
    window = timedelta(seconds=rules.disorder_window_s)
    until = sight.at + timedelta(minutes=rules.disorder_pause_minutes)
    # A look ahead of us is another run's whose clock is a little fast; one far ahead or behind tells nothing of now.
    recent = tuple(each for each in before.seen if abs(sight.at - each.at) <= window)
    held = {each.contract: each for each in before.pauses if each.until > sight.at}
    findings = [found for quote in sight.quotes.values() if (found := _look_at(quote, recent, sight, rules))]
    pauses = held | {found.contract: _pause(found, held, sight.at, until) for found in findings}
    if why := _unknown_pauses(before) or _market_wide(findings, pauses.values(), sight, rules):
        pauses[EVERYWHERE] = _pause(_Finding(contract=EVERYWHERE, why=why, shaken=False), held, sight.at, until)
    ordered = tuple(sorted(pauses.values(), key=lambda each: each.contract))
    return MarketWatch(seen=_remember(recent, sight), pauses=ordered, version=before.version)


def started(before: MarketWatch | None, after: MarketWatch, now: datetime) -> tuple[DisorderPause, ...]:
    """Pauses of `after` that did not hold before this look. While everything is paused, no single one is news."""
    held = {each.contract for each in before.pauses if each.until > now} if before else set()
    return () if EVERYWHERE in held else tuple(each for each in after.pauses if each.contract not in held)


def _look_at(quote: Quote, recent: Sequence[SeenMarks], sight: MarketSight, rules: RiskRules) -> _Finding | None:
    stress = sight.stress.get(quote.contract)
    jump = _jump(quote, recent, sight.at, rules.disorder_move_pct)
    shaken = [why for why in (jump, _basis(quote, rules.disorder_basis_pct), _stress(stress)) if why]
    # What cannot be read, or is halted, may not be entered, but says nothing about the price.
    whys = [*shaken, *(why for why in (_unreadable(stress), _halt(quote)) if why)]
    return _Finding(contract=quote.contract, why="; ".join(whys), shaken=bool(shaken)) if whys else None


def _jump(quote: Quote, recent: Sequence[SeenMarks], now: datetime, bound: Decimal) -> str:
    """The largest move from any remembered mark, when it reaches the bound."""
    known = [(each.marks[quote.contract], now - each.at) for each in recent if quote.contract in each.marks]
    if not known:
        return ""
    mark, age = max(known, key=lambda each: _apart(quote.mark, each[0]))
    move = _apart(quote.mark, mark)
    if move < bound:
        return ""
    return f"mark {_short(quote.mark)} is {move:.2f} % from {_short(mark)} of {age.total_seconds():.0f} s ago"


def _basis(quote: Quote, bound: Decimal) -> str:
    if quote.index is None or (torn := _apart(quote.mark, quote.index)) < bound:
        return ""
    return f"mark {_short(quote.mark)} is {torn:.2f} % from its index {_short(quote.index)}"


def _stress(stress: ContractStress | None) -> str:
    if stress is None or not (stress.dislocated or stress.extreme_volatility):
        return ""
    return f"the venue reports {'a dislocation' if stress.dislocated else 'extreme volatility'}"


def _unreadable(stress: ContractStress | None) -> str:
    if stress is None or not stress.unreadable:
        return ""
    return f"what the venue reports about it cannot be read: {stress.unreadable}"


def _halt(quote: Quote) -> str:
    return "it is suspended or takes resting orders only" if _halted(quote) else ""


def _halted(quote: Quote) -> bool:
    return quote.suspended or quote.post_only


def _pause(found: _Finding, held: Mapping[str, DisorderPause], now: datetime, until: datetime) -> DisorderPause:
    """A new pause, or the one that holds, renewed: when its contract began to shake is kept."""
    earlier = held.get(found.contract)
    began = earlier.shaken_at if earlier else None
    return DisorderPause(
        contract=found.contract,
        until=max(until, earlier.until) if earlier else until,
        why=found.why,
        shaken_at=began or (now if found.shaken else None),
    )


def _unknown_pauses(before: MarketWatch) -> str:
    return f"the pauses of the last look cannot be read: {before.unreadable}" if before.unreadable else ""


def _market_wide(
    findings: Sequence[_Finding], pauses: Iterable[DisorderPause], sight: MarketSight, rules: RiskRules
) -> str:
    """Why nothing may be entered anywhere, empty when there is no reason."""
    if major := next((each for each in findings if each.contract in sight.majors), None):
        return f"{major.contract} moves the whole market: {major.why}"
    halted = sum(map(_halted, sight.quotes.values()))
    if halted * 2 > len(sight.quotes):
        return f"the venue has halted {halted} of {len(sight.quotes)} contracts"
    shaken = [each for each in pauses if each.shaken_at and sight.at - each.shaken_at < TOGETHER]
    if len(shaken) < rules.disorder_market_wide:
        return ""
    named = ", ".join(f"{each.contract}: {each.why}" for each in shaken[:NAMED])
    return f"{len(shaken)} contracts began to shake together ({named})"


def _remember(recent: tuple[SeenMarks, ...], sight: MarketSight) -> tuple[SeenMarks, ...]:
    """The looks that a later one may compare with, newest first."""
    if not sight.quotes or (recent and sight.at - recent[0].at < REMEMBERED_APART):
        return recent
    marks = {contract: Price(DIGITS.plus(quote.mark)) for contract, quote in sight.quotes.items()}
    return (SeenMarks(at=sight.at, marks=marks), *recent)


def _apart(value: Decimal, reference: Decimal) -> Decimal:
    """Percent of the reference."""
    return abs(value - reference) * PERCENT / reference


def _short(price: Decimal) -> str:
    return plain(DIGITS.plus(price))
