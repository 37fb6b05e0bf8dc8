"""Where decisions, their candles and the rules in force are: in a living local stack, or deployed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from botocore.exceptions import BotoCoreError
from pynamodb.exceptions import PynamoDBException

from infra.cli.deployed import deployed_decisions, deployed_rules_override
from infra.cli.operators import Target
from infra.local.attached import Attached
from shared.clock import SystemClock
from shared.runtime import rules_of
from shared.storage.decisions import DecisionStore, TraceListing
from shared.storage.market_data import MarketDataStore
from trading.errors import InvalidInput
from trading.model.decisions import Decision
from trading.model.instruments import InstrumentId
from trading.model.times import Timeframe, to_text
from trading.rules import Rules

NEWEST_WITHIN = 48
"""The newest decision is looked for in so many bars."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecidedPlace:
    """The stores a command reads, the rules of the system, and the time there."""

    decisions: DecisionStore
    market: MarketDataStore
    rules: Rules
    now: datetime

    def bars(self, count: int) -> list[datetime]:
        """Close times of the newest `count` decision bars, newest first."""
        newest = Timeframe.H1.floor(self.now)
        return [newest - number * Timeframe.H1.length for number in range(count)]

    def decision(self, symbol: str, at: str) -> Decision:
        """The decision in force `at` a time, the newest without one. Raises InvalidInput, or CorruptRecord when its
        trace cannot be read."""
        coin = InstrumentId(symbol.upper())
        if at:
            bar = Timeframe.H1.floor(moment_named("--at", at))
            found = self.decisions.traces_of(coin, [bar])
            if not found:
                raise InvalidInput(f"there is no trace of {coin} for the bar closed at {to_text(bar)}")
            return found[-1]
        listing = self.decisions.listing_of(coin, self.bars(NEWEST_WITHIN))
        if not listing.decisions:
            raise InvalidInput(missing_traces(coin, listing, NEWEST_WITHIN))
        return listing.decisions[-1]


def missing_traces(coin: InstrumentId, listing: TraceListing, bars: int) -> str:
    """Why there is nothing to show, in one sentence."""
    if listing.refused:
        return f"{listing.refused[-1]}; {len(listing.refused)} traces of {coin} are like this"
    return f"there is no trace of {coin} in the newest {bars} decision bars"


@contextmanager
def open_place(target: Target) -> Iterator[DecidedPlace]:
    """Raises InvalidInput with one sentence when the system cannot be reached."""
    try:
        if target.stack:
            yield deployed_place(target.stack, rules_of(deployed_rules_override(target.stack)), SystemClock().now())
            return
        with Attached.open(target.state_dir) as local:
            environment = local.template.function("score_setups").environment
            rules = rules_of(environment["SMC_RULES_OVERRIDE"])
            yield DecidedPlace(
                decisions=local.decisions(),
                market=MarketDataStore(environment["SMC_MARKET_DATA_TABLE"], bars_kept=rules.data.bars_kept),
                rules=rules,
                now=local.now,
            )
    except (PynamoDBException, BotoCoreError) as error:
        raise InvalidInput(f"the tables of {target.stack or target.state_dir} cannot be read: {error}") from None


def deployed_place(stack: str, rules: Rules, now: datetime) -> DecidedPlace:
    """The tables of a deployed stack; infra/aws/tables.yaml names them after it."""
    return DecidedPlace(
        decisions=deployed_decisions(stack),
        market=MarketDataStore(f"{stack}-market-data", bars_kept=rules.data.bars_kept),
        rules=rules,
        now=now,
    )


def moment_named(option: str, text: str) -> datetime:
    """A time as typed, in UTC unless it says another zone. Raises InvalidInput."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput(f"{option} is {text!r}; expected a time such as 2024-05-01T10:00Z") from None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.astimezone(UTC)
