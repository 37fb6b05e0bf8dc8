"""How Kraken would list a coin: names on spot and derivatives, tick and step by price magnitude, tier, margin levels.

Names follow Kraken's own irregularities (XXBTZUSD, XDGUSD, PF_XBTUSD with base BTC). Ticks, steps and tiers are chosen
from the price and the coin like Kraken's; they are realistic, not recorded.
"""

import math
from dataclasses import dataclass
from decimal import Decimal

from trading.errors import InvalidInput
from trading.matching import Liquidity, MarginTier, Market

LEGACY_ASSETS = {
    "BTC": "XXBT",
    "ETH": "XETH",
    "XRP": "XXRP",
    "LTC": "XLTC",
    "ETC": "XETC",
    "XLM": "XXLM",
    "XMR": "XXMR",
    "ZEC": "XZEC",
    "DOGE": "XXDG",
}
KRAKEN_CODES = {"BTC": "XBT", "DOGE": "XDG"}
COMMON_CODES = {code: base for base, code in KRAKEN_CODES.items()}
FUTURES_CODES = {"BTC": "XBT"}
PLAIN_PAIR_IDS = {"DOGE"}
MADE_UP = "GEN"
"""Made-up coins are called GEN1, GEN2 ..."""
TIER_A = ("BTC", "ETH")
TIER_B = ("SOL", "XRP", "DOGE", "ADA", "LTC", "LINK", "AVAX", "BCH", "DOT", "BNB")


@dataclass(frozen=True, slots=True, kw_only=True)
class TierTerms:
    """Liquidity and margin of one tier. Sizes and levels are USD, spreads fractions of the price."""

    half_spread: Decimal
    level_usd: Decimal
    daily_volume_usd: float
    margin: tuple[tuple[str, str, str], ...]


SMALL_COIN_MARGIN = (("0", "0.05", "0.025"), ("500000", "0.1", "0.05"), ("1500000", "0.2", "0.1"))
TERMS = {
    "A": TierTerms(
        half_spread=Decimal("0.00005"),
        level_usd=Decimal(200_000),
        daily_volume_usd=500e6,
        margin=(("0", "0.01", "0.005"), ("1000000", "0.02", "0.01"), ("3000000", "0.04", "0.02")),
    ),
    "B": TierTerms(
        half_spread=Decimal("0.00015"),
        level_usd=Decimal(40_000),
        daily_volume_usd=60e6,
        margin=(("0", "0.02", "0.01"), ("1000000", "0.04", "0.02"), ("3000000", "0.1", "0.05")),
    ),
    "C": TierTerms(
        half_spread=Decimal("0.0003"),
        level_usd=Decimal(15_000),
        daily_volume_usd=12e6,
        margin=SMALL_COIN_MARGIN,
    ),
    "D": TierTerms(
        half_spread=Decimal("0.0008"),
        level_usd=Decimal(5_000),
        daily_volume_usd=3e6,
        margin=SMALL_COIN_MARGIN,
    ),
    "E": TierTerms(
        half_spread=Decimal("0.0018"),
        level_usd=Decimal(2_000),
        daily_volume_usd=1.2e6,
        margin=SMALL_COIN_MARGIN,
    ),
}
"""Coins that have a name are of the first three. Made-up ones take turns from C to E, so that a whole exchange of them
has all the liquidity tiers that a discovery tells apart (by its own limits on volume and spread)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One coin as listed. `contract` or `pair_id` is None when the venue lists only the other side.

    `decoy` marks listings that a discovery must leave out; they trade at a constant price.
    """

    base: str
    contract: str | None
    pair_id: str | None
    tier: str
    tick_size: Decimal
    size_precision: int
    spot_decimals: int
    decoy: bool = False

    @property
    def spot_asset(self) -> str:
        """Kraken's asset id (`XXBT`)."""
        return LEGACY_ASSETS.get(self.base, "ZEUR" if self.base == "EUR" else self.base)

    @property
    def spot_code(self) -> str:
        """Kraken's asset altname (`XBT`)."""
        return KRAKEN_CODES.get(self.base, self.base)

    @property
    def altname(self) -> str:
        """Kraken's pair altname (`XBTUSD`)."""
        return f"{self.spot_code}USD"

    @property
    def websocket_name(self) -> str:
        """Kraken's wsname (`XBT/USD`)."""
        return f"{self.spot_code}/USD"

    @property
    def size_step(self) -> Decimal:
        """Order size step in base units: 10 to the minus precision, which may be negative."""
        return Decimal(1).scaleb(-self.size_precision)

    def market(self, price: Decimal) -> Market:
        """Matching terms of the contract, with liquidity sized at `price` (USD)."""
        if self.contract is None:
            raise InvalidInput(f"{self.base} has no contract, expected a listing with one")
        terms = TERMS[self.tier]
        size = max((terms.level_usd / price / self.size_step).to_integral_value(), Decimal(1)) * self.size_step
        return Market(
            symbol=self.contract,
            tick_size=self.tick_size,
            size_step=self.size_step,
            max_position=size * 300,
            margin_tiers=tuple(
                MarginTier(from_notional=Decimal(start), initial=Decimal(initial), maintenance=Decimal(maintenance))
                for start, initial, maintenance in terms.margin
            ),
            liquidity=Liquidity(half_spread=terms.half_spread, level_size=size),
        )


def tier_of(base: str) -> str:
    """Liquidity tier of a coin: A to E."""
    if base in TIER_A:
        return "A"
    number = base.removeprefix(MADE_UP)
    if base != number and number.isdecimal():
        return "CDE"[int(number) % 3]
    return "B" if base in TIER_B else "C"


def magnitude(price: float) -> int:
    """Power of ten of a price: 4 for 60000, -5 for 0.00002."""
    if not price > 0:
        raise InvalidInput(f"price is {price}, expected a number above 0")
    return math.floor(math.log10(price))


def list_coin(base: str, price: float, seen_decimals: int = 0) -> Listing:
    """Listing of a coin on both sides. `price` sets tick and step, `seen_decimals` keeps recorded prices exact."""
    power = magnitude(price)
    asset = LEGACY_ASSETS.get(base)
    pair_id = f"{asset}ZUSD" if asset and base not in PLAIN_PAIR_IDS else f"{KRAKEN_CODES.get(base, base)}USD"
    return Listing(
        base=base,
        contract=f"PF_{FUTURES_CODES.get(base, base)}USD",
        pair_id=pair_id,
        tier=tier_of(base),
        tick_size=Decimal(1).scaleb(power - 4),
        size_precision=power if power >= 0 else min(0, power + 2),
        spot_decimals=max(5 - power, 1, seen_decimals),
    )


DECOY_PRICES: dict[str, float] = {"USDC": 1.0, "USDT": 1.0, "EUR": 1.08, "DEFI": 600.0, "KSM": 25.0}
"""Constant prices of the listings that a discovery must leave out."""


def decoy_listings(taken: set[str]) -> tuple[Listing, ...]:
    """Stablecoins, a fiat pair, a contract without spot pair and a pair without contract; not coins in `taken`."""
    specs = (
        ("USDC", "PF_USDCUSD", "USDCUSD"),
        ("USDT", None, "USDTZUSD"),
        ("EUR", "PF_EURUSD", "ZEURZUSD"),
        ("DEFI", "PF_DEFIUSD", None),
        ("KSM", None, "KSMUSD"),
    )
    return tuple(
        Listing(
            base=base,
            contract=contract,
            pair_id=pair_id,
            tier="C",
            tick_size=Decimal(1).scaleb(magnitude(DECOY_PRICES[base]) - 4),
            size_precision=max(magnitude(DECOY_PRICES[base]), 0),
            spot_decimals=max(5 - magnitude(DECOY_PRICES[base]), 1),
            decoy=True,
        )
        for base, contract, pair_id in specs
        if base not in taken
    )
