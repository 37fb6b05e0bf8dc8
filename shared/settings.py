"""Environment variables are read here and nowhere else, into one frozen type per function.

A variable is named `SMC_` and the field's name in capitals. A missing or wrong one stops the function at its first
line with one sentence, before it can do anything.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from trading.errors import InvalidInput

PREFIX = "SMC_"


class Settings(BaseModel):
    """What every function has."""

    # Built when it is first used: a process reads one of these types.
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    ledger_table: str
    rules_override: str = ""
    code_version: str = "unversioned"


class AlertingSettings(Settings):
    alerts_topic_arn: str


class PublicVenueSettings(AlertingSettings):
    spot_url: str
    futures_url: str


class MarketDataSettings(PublicVenueSettings):
    market_data_table: str


class DiscoverSettings(MarketDataSettings):
    pass


class IngestSettings(MarketDataSettings):
    bars_queue_url: str
    ingest_shards_queue_url: str


class ScoreSettings(MarketDataSettings):
    decisions_table: str
    signals_queue_url: str


class TradingSettings(MarketDataSettings):
    """Functions that trade. `mode`: on `live` they read the trading key and trade the account at the venue, on `paper`
    they need no key and trade the paper account (`shared.venue.paper`) at the venue's public prices."""

    decisions_table: str
    trading_secret_id: str
    mode: Literal["live", "paper"]


class MaintainSettings(AlertingSettings):
    spot_url: str
    market_data_table: str
    decisions_table: str


class HealthSettings(PublicVenueSettings):
    """`queue_urls` and `dead_letter_queue_urls`: `name=url,name=url`. On paper the trading key is not asked for.
    `alerts_by_email`: alerts also go to an e-mail address, past Slack and Discord."""

    market_data_table: str
    decisions_table: str
    trading_secret_id: str
    webhooks_secret_id: str
    mode: Literal["live", "paper"]
    queue_urls: str
    dead_letter_queue_urls: str
    alerts_by_email: Literal["yes", "no"] = "no"


class ForwardSettings(Settings):
    webhooks_secret_id: str


class DashboardSettings(Settings):
    """`control_function_arn`: what the buttons call, with the rights of whoever looks at the dashboard."""

    market_data_table: str
    decisions_table: str
    control_function_arn: str


Kind = TypeVar("Kind", bound=Settings)


def load_settings(kind: type[Kind], environment: Mapping[str, str] | None = None) -> Kind:
    """Read exactly the fields of `kind`. Raises InvalidInput naming the variable and what was expected."""
    source = os.environ if environment is None else environment
    found = {name: source[PREFIX + name.upper()] for name in kind.model_fields if PREFIX + name.upper() in source}
    try:
        return kind(**found)
    except ValidationError as error:
        first = error.errors()[0]
        variable = PREFIX + str(first["loc"][0]).upper()
        raise InvalidInput(f"environment variable {variable}: {first['msg'].lower()}") from None


def tracing_is_on(environment: Mapping[str, str] | None = None) -> bool:
    """Whether this run is to be traced: Lambda writes X-Ray's decision into the trace header before each run.

    Lambda gives the daemon's address to every function, traced or not, so that tells nothing.
    """
    source = os.environ if environment is None else environment
    if source.get("POWERTOOLS_TRACE_DISABLED", "").strip().lower() in ("1", "true", "t", "yes", "y", "on"):
        return False
    fields = source.get("_X_AMZN_TRACE_ID", "").replace(" ", "").split(";")
    return "Sampled=1" in fields
