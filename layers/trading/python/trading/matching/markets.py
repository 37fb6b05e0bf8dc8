"""What the matching core knows of one contract: steps, fees, margin tiers and declared liquidity."""

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from trading.errors import InvalidInput
from trading.matching.rounding import ONE, ZERO


class MarketStatus(StrEnum):
    """Trading state of a contract."""

    ONLINE = "online"
    POST_ONLY = "post_only"
    SUSPENDED = "suspended"
    INACTIVE = "inactive"


@dataclass(frozen=True, slots=True, kw_only=True)
class MarginTier:
    """Margin rates that hold for the whole position once its notional reaches `from_notional` (USD)."""

    from_notional: Decimal
    initial: Decimal
    maintenance: Decimal

    def __post_init__(self) -> None:
        if not ZERO < self.maintenance <= self.initial <= ONE:
            raise InvalidInput(
                f"margin tier has initial {self.initial} and maintenance {self.maintenance}, "
                "expected 0 < maintenance <= initial <= 1"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Liquidity:
    """Declared, deterministic book around the mark price.

    `half_spread` and `level_spacing` are fractions of the mark, `level_size` is base units on each of the
    `level_count` levels a side, `touch_fraction` is the part of a resting limit order that fills when the opposite
    quote reaches its price exactly; the rest fills when the quote goes one tick further. Where the best ask lies
    another distance from the mark than the best bid, `ask_half_spread` is the ask's and `half_spread` the bid's.
    """

    half_spread: Decimal
    level_size: Decimal
    level_count: int = 10
    level_spacing: Decimal = Decimal("0.0002")
    touch_fraction: Decimal = Decimal("0.25")
    ask_half_spread: Decimal | None = None

    @property
    def ask_distance(self) -> Decimal:
        """Fraction of the mark by which the best ask lies above it."""
        return self.half_spread if self.ask_half_spread is None else self.ask_half_spread

    def __post_init__(self) -> None:
        narrowest = min(self.half_spread, self.ask_distance)
        if narrowest < ZERO or self.level_size <= ZERO or self.level_count < 1 or self.level_spacing < ZERO:
            raise InvalidInput(
                f"liquidity needs spread and spacing >= 0 and size and levels > 0, got {narrowest}, "
                f"{self.level_spacing}, {self.level_size}, {self.level_count}"
            )
        if not ZERO <= self.touch_fraction <= ONE:
            raise InvalidInput(f"touch_fraction is {self.touch_fraction}, expected 0..1")


class Dislocation(StrEnum):
    """Which way a contract's price has left its index; Kraken's words."""

    ABOVE = "ABOVE_UPPER_BOUND"
    BELOW = "BELOW_LOWER_BOUND"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stress:
    """What the venue says about a contract under stress. The default is a calm contract.

    `initial_margin_multiplier`: initial margin is multiplied by it while there is extreme volatility, 1 or more.
    """

    extreme_volatility: bool = False
    initial_margin_multiplier: Decimal = ONE
    dislocation: Dislocation | None = None

    def __post_init__(self) -> None:
        multiplier = self.initial_margin_multiplier
        if not multiplier.is_finite() or multiplier < ONE:
            raise InvalidInput(f"initial margin multiplier is {multiplier}, expected 1 or more")
        if multiplier > ONE and not self.extreme_volatility:
            raise InvalidInput(f"initial margin multiplier is {multiplier} without extreme volatility, expected 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """One linear contract of 1 base unit, quoted and margined in USD.

    `collar` is how far (fraction of the mark) a limit may cross the mark, `protection` the price protection of market
    orders (Kraken: 1 %). Fees are fractions of notional. Collar width is not public: 10 % is an assumption.
    `resting_liquidity` is the book that decides when resting orders are reached, where it is not the one of takers.
    """

    symbol: str
    tick_size: Decimal
    size_step: Decimal
    max_position: Decimal
    margin_tiers: tuple[MarginTier, ...]
    liquidity: Liquidity
    maker_fee: Decimal = Decimal("0.0002")
    taker_fee: Decimal = Decimal("0.0005")
    collar: Decimal = Decimal("0.10")
    protection: Decimal = Decimal("0.01")
    status: MarketStatus = field(default=MarketStatus.ONLINE)
    resting_liquidity: Liquidity | None = None
    stress: Stress = field(default_factory=Stress)

    def __post_init__(self) -> None:
        if self.tick_size <= ZERO or self.size_step <= ZERO or self.max_position <= ZERO:
            raise InvalidInput(
                f"{self.symbol} needs tick, step and maximum position above 0, got {self.tick_size}, "
                f"{self.size_step}, {self.max_position}"
            )
        starts = [tier.from_notional for tier in self.margin_tiers]
        if not starts or starts[0] != ZERO or starts != sorted(set(starts)):
            raise InvalidInput(f"{self.symbol} needs margin tiers that start at 0 and ascend, got {starts}")

    @property
    def is_online(self) -> bool:
        """Whether orders execute in it."""
        return self.status is MarketStatus.ONLINE

    def initial_margin(self, notional: Decimal) -> Decimal:
        """Initial margin in USD of `notional` USD in this contract.

        Kraken documents its multiplier of extreme volatility for initial margin only: maintenance margin, and with it
        liquidation, stay as they are.
        """
        return notional * self.tier_for(notional).initial * self.stress.initial_margin_multiplier

    def tier_for(self, notional: Decimal) -> MarginTier:
        """Tier of a position of `notional` USD; the tier's rates hold for all of it."""
        found = self.margin_tiers[0]
        for tier in self.margin_tiers[1:]:
            if notional < tier.from_notional:
                break
            found = tier
        return found
