"""The arithmetic of the limits once more, from the design page instead of from the code: what property tests compare
an approval with. Nothing here calls `trading.risk`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from tests.unit.risk.cases import Scene
from trading.model.instruments import Instrument, Side, Tier
from trading.model.orders import IntentState, Purpose
from trading.model.positions import Position
from trading.model.risk import RiskApproved
from trading.model.signals import Regime

SLACK = 1 + Decimal("1e-18")
"""Decimals have 28 digits; sums and quotients of them are off by less than this."""
ENDED = {
    IntentState.FILLED,
    IntentState.CANCELLED,
    IntentState.REJECTED,
    IntentState.NOT_PLACED,
    IntentState.ABANDONED,
}
WALK = 40


def filled_up(position: Position) -> Decimal:
    """Coins once the entry has filled, if it still can."""
    for intent in position.intents:
        if intent.purpose is Purpose.ENTRY and intent.state not in ENDED:
            return max(position.planned, position.quantity)
    return position.quantity


def cost_of_leaving(scene: Scene, approved: RiskApproved) -> Decimal:
    """USD per coin: taker fee, half the spread and slippage at the stop's own price."""
    rules, quote = scene.rules.cost, scene.quote
    assert quote.bid is not None
    assert quote.ask is not None
    half_spread = (quote.ask - quote.bid) / (quote.ask + quote.bid)
    share = scene.instrument.taker_fee / 10_000 + half_spread + Decimal(str(rules.slippage_bps)) / 10_000
    return approved.levels.stop * share


def loss_at_the_stop(scene: Scene, approved: RiskApproved) -> Decimal:
    """USD lost when the stop is hit: the way there, the fee for entering, what leaving costs, and the funding of the
    whole expected hold at the dearer of both prices."""
    rules, levels, funding = scene.rules.cost, approved.levels, scene.quote.hourly_funding
    assert rules.entry_rests
    assert funding is not None
    hours = rules.hold_hours_tight if scene.signal.regime is Regime.TIGHT_SMC else rules.hold_hours_wide
    held = max(funding * approved.signal.side.sign * Decimal(str(hours)), Decimal(0)) * max(levels.entry, levels.stop)
    entering = levels.entry * scene.instrument.maker_fee / 10_000
    per_coin = abs(levels.entry - levels.stop) + entering + cost_of_leaving(scene, approved) + held
    return approved.sizing.quantity * per_coin


def rate_at(market: Instrument, notional: Decimal, *, initial: bool) -> Decimal:
    found = market.margin_levels[0]
    for level in market.margin_levels:
        if notional >= level.from_notional:
            found = level
    return found.initial if initial else found.maintenance


@dataclass(frozen=True)
class Accounting:
    """A scene's portfolio valued anew."""

    scene: Scene

    def mark(self, position: Position) -> Decimal:
        for quote in (self.scene.quote, *self.scene.other_quotes):
            if quote.contract == position.contract:
                return quote.mark
        return position.levels.entry

    def multiplier(self, contract: str) -> Decimal:
        return next((each.margin_multiplier for each in self.scene.stress if each.contract == contract), Decimal(1))

    def worth(self, position: Position) -> Decimal:
        mark, coming = self.mark(position), filled_up(position) - position.quantity
        return position.quantity * mark + coming * max(mark, position.levels.entry)

    def gross(self) -> Decimal:
        return sum(map(self.worth, self.scene.positions), Decimal(0))

    def net(self, side: Side) -> Decimal:
        """In-flight entries count on this side, and offset nothing on the other until they have filled."""
        ours = sum((self.worth(each) for each in self.scene.positions if each.side is side), Decimal(0))
        theirs = (each.quantity * self.mark(each) for each in self.scene.positions if each.side is not side)
        return ours - sum(theirs, Decimal(0))

    def margin_to_come(self, *, initial: bool) -> Decimal:
        """What filling up adds to the margin of what is held."""
        total = Decimal(0)
        for position in self.scene.positions:
            now, then = position.quantity * self.mark(position), self.worth(position)
            more = then * rate_at(position.market, then, initial=initial)
            more -= now * rate_at(position.market, now, initial=initial)
            total += more * self.multiplier(position.contract)
        return total

    def at_stops(self) -> Decimal:
        """USD that all records lose from their marks (waiting entries: from their price) when every stop is hit."""
        total = Decimal(0)
        for position in self.scene.positions:
            cost = filled_up(position) * position.levels.entry * position.cost_bps / 10_000
            held = position.quantity * (self.mark(position) - position.stop) * position.side.sign
            coming = filled_up(position) - position.quantity
            coming *= abs(position.levels.entry - position.levels.stop) if self._at_first_stop(position) else 0
            total += max(held + coming + cost, Decimal(0))
        return total

    @staticmethod
    def _at_first_stop(position: Position) -> bool:
        return position.stop == position.levels.stop

    def lost_today(self) -> Decimal:
        return max(self.peak() - self.scene.account.equity, Decimal(0))

    def peak(self) -> Decimal:
        peak: Decimal = self.scene.day.peak_equity
        return max(peak, self.scene.account.equity)


def tier_numbers(scene: Scene) -> tuple[Decimal, Decimal, Decimal]:
    """Percent of equity, USD and leverage by the design page, not by the rules file."""
    return {
        Tier.A: (Decimal(100), Decimal(100_000), Decimal(10)),
        Tier.B: (Decimal(50), Decimal(50_000), Decimal(5)),
        Tier.C: (Decimal(25), Decimal(25_000), Decimal(3)),
    }[scene.instrument.tier]


def takers(scene: Scene, approved: RiskApproved) -> Decimal:
    """Coins that rest within 50 bps of the book's mid for whoever closes this position."""
    book = scene.order_book
    assert book is not None
    bid, ask = book.bids[0][0], book.asks[0][0]
    low, high = (bid + ask) / 2 * Decimal("0.995"), (bid + ask) / 2 * Decimal("1.005")
    rows = book.bids if approved.signal.side is Side.LONG else book.asks
    return sum((size for price, size in rows if low <= price <= high), Decimal(0))


def headroom_alone(scene: Scene, approved: RiskApproved) -> Iterator[Decimal]:
    """Margin equity less maintenance while only this contract walks against the order, from the entry to where the
    stop's distance is 65 % of the way: points of the walk, and both sides of every margin level met."""
    accounting, levels, size = Accounting(scene), approved.levels, approved.sizing.quantity
    market, sign = scene.instrument, approved.signal.side.sign
    rest = scene.account.equity - scene.account.maintenance_margin - accounting.margin_to_come(initial=False)
    far = abs(levels.entry - levels.stop) / Decimal("0.65")
    ways = [far * part / WALK for part in range(WALK + 1)]
    for level in market.margin_levels:
        edge = (levels.entry - level.from_notional / size) * sign
        ways += [way for way in (edge * Decimal("0.9999999999"), edge) if 0 <= way <= far]
    for way in ways:
        price = levels.entry - sign * way
        if price > 0:
            rate = rate_at(market, size * price, initial=False) * accounting.multiplier(market.contract)
            yield rest - size * way - size * price * rate


def headroom_together(scene: Scene, approved: RiskApproved) -> Iterator[Decimal]:
    """Margin equity less the venue's own maintenance margin while everything walks at once from its mark (the order
    from its entry) to its stop and 35 % of the stop's distance beyond it, costs of leaving paid all the while."""
    accounting, new = Accounting(scene), approved.levels
    moves = [
        (each.market, each.side.sign, filled_up(each), accounting.mark(each), each.stop, each.levels, each.cost_bps)
        for each in scene.positions
    ]
    sign = approved.signal.side.sign
    for step in range(WALK + 1):
        equity, due = scene.account.equity - approved.sizing.quantity * cost_of_leaving(scene, approved), Decimal(0)
        for market, way, size, mark, stop, levels, cost in moves:
            end = stop - way * abs(levels.entry - levels.stop) * Decimal("0.35")
            price = mark + (end - mark) * step / WALK
            lost = size * (mark - price) * way + size * levels.entry * cost / 10_000
            equity, due = (
                equity - max(lost, Decimal(0)),
                due + size * price * rate_at(market, size * price, initial=False),
            )
        distance = abs(new.entry - new.stop) * Decimal("1.35") * step / WALK
        price = new.entry - sign * distance
        worth = approved.sizing.quantity * price
        equity -= approved.sizing.quantity * distance
        yield equity - due - worth * rate_at(scene.instrument, worth, initial=False)
