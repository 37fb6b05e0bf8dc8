"""Price sources of the local stack: recorded candles and a seeded generated market behind one small protocol."""

from infra.local.market.candle_market import CandleMarket, PriceSource
from infra.local.market.generated import GeneratedMarket, generated_market
from infra.local.market.listings import Listing
from infra.local.market.recorded import recorded_market

__all__ = ["CandleMarket", "GeneratedMarket", "Listing", "PriceSource", "generated_market", "recorded_market"]
