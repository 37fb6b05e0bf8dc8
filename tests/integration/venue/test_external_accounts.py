"""The recorded account bodies of others, read by the one function that says what our equity is."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from shared.venue import KrakenRestVenue
from tests.fakes.shared_folder import SHARED
from tests.integration.venue.loopback_venue import LoopbackVenue
from tests.integration.venue.recorded_bodies import V3

SAMPLE = SHARED / "data" / "api_samples" / "kraken_futures_rest" / "account_GetBalances.json"
needs_sample = pytest.mark.skipif(
    not SAMPLE.is_file(), reason=f"recorded account body is not on this machine ({SAMPLE})"
)


@pytest.fixture
def recorded(loopback: LoopbackVenue) -> dict[str, Any]:
    body = json.loads(SAMPLE.read_text(encoding="utf-8"))["response"]
    loopback.answer(f"{V3}/accounts", body)
    return dict(body["accounts"])


@needs_sample
def test_recorded_wallet_counts_after_its_haircuts(venue: KrakenRestVenue, recorded: dict[str, Any]) -> None:
    account = venue.account()
    assert (account.equity, account.portfolio_value) == (Decimal("34122.66"), Decimal("34995.52"))
    assert (account.available_margin, account.initial_margin, account.unrealised) == (
        Decimal("34122.66"),
        Decimal(0),
        Decimal(0),
    )
    assert {"cash", "fi_xbtusd", "flex"} <= set(recorded)
    balances = sum(Decimal(str(each["value"])) for each in recorded["flex"]["currencies"].values())
    assert balances != account.equity, "a sum of balances would have passed for equity"
