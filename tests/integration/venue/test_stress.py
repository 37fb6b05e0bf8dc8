"""What the venue says about stress, read through the adapter: said is said, and what cannot be read is no answer."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from shared.venue import KrakenFuturesMarket
from shared.venue.transport import require_loopback
from tests.fakes.shared_folder import SHARED
from tests.integration.sandbox.served import serve
from tests.integration.venue.loopback_venue import LoopbackVenue, Scripted
from tests.integration.venue.recorded_bodies import V3, success
from trading.errors import VenueAnswerInvalid
from trading.model.venue import ContractStress

PATH = f"{V3}/instruments/status"
RECORDED = SHARED / "data/api_samples/kraken_futures_rest/exchangedata_GetSymbolStatus.json"
CALM: dict[str, Any] = {
    "tradeable": "PF_CALMUSD",
    "experiencingDislocation": False,
    "priceDislocationDirection": None,
    "experiencingExtremeVolatility": False,
    "extremeVolatilityInitialMarginMultiplier": 1,
}
MULTIPLIER = "extremeVolatilityInitialMarginMultiplier"
ABSENT = object()


def row(**changes: object) -> dict[str, object]:
    return {name: value for name, value in {**CALM, **changes}.items() if value is not ABSENT}


@pytest.fixture
def market(loopback: LoopbackVenue) -> KrakenFuturesMarket:
    adapter = KrakenFuturesMarket(base_url=loopback.url, timeout_s=2.0)
    require_loopback(adapter.wire.addresses())
    return adapter


def stress_of(contract: str, *, dislocated: bool = False, volatile: bool = False, by: str = "1") -> ContractStress:
    return ContractStress(
        contract=contract, dislocated=dislocated, extreme_volatility=volatile, margin_multiplier=Decimal(by)
    )


def test_contracts_under_stress_are_told(market: KrakenFuturesMarket, loopback: LoopbackVenue) -> None:
    rows = [
        row(),
        row(tradeable="pf_wildusd", experiencingExtremeVolatility=True, **{MULTIPLIER: 2}),
        row(tradeable="PF_TORNUSD", experiencingDislocation=True, priceDislocationDirection="ABOVE_UPPER_BOUND"),
        row(tradeable="PF_EDGEUSD", experiencingExtremeVolatility=True),
        row(tradeable="PF_TEXTUSD", **{MULTIPLIER: "1.5"}),
    ]
    loopback.answer(PATH, success(instrumentStatus=rows))
    assert market.stress() == {
        "PF_WILDUSD": stress_of("PF_WILDUSD", volatile=True, by="2"),
        "PF_TORNUSD": stress_of("PF_TORNUSD", dislocated=True),
        "PF_EDGEUSD": stress_of("PF_EDGEUSD", volatile=True),
        "PF_TEXTUSD": stress_of("PF_TEXTUSD", by="1.5"),
    }
    assert [(asked.method, asked.path, asked.query) for asked in loopback.asked] == [("GET", PATH, "")]


@pytest.mark.parametrize("multiplier", [None, ABSENT, "", 1, "1.0"])
def test_calm_contract_needs_no_multiplier(
    market: KrakenFuturesMarket, loopback: LoopbackVenue, multiplier: object
) -> None:
    loopback.answer(PATH, success(instrumentStatus=[row(**{MULTIPLIER: multiplier})]))
    assert market.stress() == {}


VOLATILE = {"experiencingExtremeVolatility": True}
UNREADABLE: list[tuple[dict[str, object], str]] = [
    ({**VOLATILE, MULTIPLIER: None}, f"{MULTIPLIER} is None with experiencingExtremeVolatility True"),
    ({**VOLATILE, MULTIPLIER: ABSENT}, f"{MULTIPLIER} is None"),
    ({**VOLATILE, MULTIPLIER: 0.5}, f"{MULTIPLIER} is 0.5"),
    ({**VOLATILE, MULTIPLIER: 0}, f"{MULTIPLIER} is 0"),
    ({**VOLATILE, MULTIPLIER: -2}, f"{MULTIPLIER} is -2"),
    ({MULTIPLIER: 0.5}, f"{MULTIPLIER} is 0.5 with experiencingExtremeVolatility False"),
    ({MULTIPLIER: "NaN"}, f"{MULTIPLIER} is 'NaN': expected a finite number"),
    ({MULTIPLIER: "Infinity"}, f"{MULTIPLIER} is 'Infinity'"),
    ({MULTIPLIER: "twice"}, f"{MULTIPLIER} is 'twice': expected a number"),
    ({MULTIPLIER: True}, f"{MULTIPLIER} is True"),
    ({"experiencingDislocation": None}, "experiencingDislocation is None"),
    ({"experiencingDislocation": "false"}, "experiencingDislocation is 'false'"),
    ({"experiencingDislocation": ABSENT}, "experiencingDislocation is missing"),
    ({"experiencingExtremeVolatility": 1}, "experiencingExtremeVolatility is 1"),
    ({"experiencingExtremeVolatility": ABSENT}, "experiencingExtremeVolatility is missing"),
]


@pytest.mark.parametrize(("changes", "reason"), UNREADABLE, ids=[reason for _, reason in UNREADABLE])
def test_row_that_cannot_be_read_is_told_as_that(
    market: KrakenFuturesMarket, loopback: LoopbackVenue, changes: dict[str, object], reason: str
) -> None:
    wild = row(tradeable="PF_WILDUSD", **VOLATILE)
    loopback.answer(PATH, success(instrumentStatus=[wild, row(tradeable="PF_BADUSD", **changes)]))
    stress = market.stress()
    assert set(stress) == {"PF_WILDUSD", "PF_BADUSD"}
    assert stress["PF_BADUSD"].unreadable.startswith(reason)


@pytest.mark.parametrize("name", [None, ABSENT, "", " PF_XBTUSD", 7])
def test_nameless_row_is_no_answer_either(market: KrakenFuturesMarket, loopback: LoopbackVenue, name: object) -> None:
    loopback.answer(PATH, success(instrumentStatus=[row(), row(tradeable=name)]))
    with pytest.raises(VenueAnswerInvalid, match=r"row 1: tradeable is .+: expected a name"):
        market.stress()


def test_contract_named_twice_is_not_known(market: KrakenFuturesMarket, loopback: LoopbackVenue) -> None:
    loopback.answer(PATH, success(instrumentStatus=[row(), row(tradeable="pf_calmusd", **VOLATILE)]))
    assert market.stress()["PF_CALMUSD"].unreadable == "it is listed 2 times"


@pytest.mark.parametrize("rows", [None, "calm", {}, ["PF_XBTUSD"], [None]])
def test_status_that_is_no_list_is_no_answer(
    market: KrakenFuturesMarket, loopback: LoopbackVenue, rows: object
) -> None:
    loopback.answer(PATH, success(instrumentStatus=rows))
    with pytest.raises(VenueAnswerInvalid, match="instruments/status"):
        market.stress()


def test_bare_nan_is_no_answer(market: KrakenFuturesMarket, loopback: LoopbackVenue) -> None:
    text = '{"result":"success","instrumentStatus":[{"tradeable":"PF_A","x":NaN}]}'
    loopback.answer(PATH, Scripted(text=text))
    with pytest.raises(VenueAnswerInvalid, match="instruments/status"):
        market.stress()


@pytest.mark.skipif(not RECORDED.is_file(), reason=f"recorded venue bodies are not on this machine ({RECORDED})")
def test_recorded_status_reads_as_calm(market: KrakenFuturesMarket, loopback: LoopbackVenue) -> None:
    loopback.answer(PATH, json.loads(RECORDED.read_text(encoding="utf-8"))["response"])
    assert market.stress() == {}


def test_sandbox_and_adapter_agree_on_stress() -> None:
    with serve() as sandbox:
        market = KrakenFuturesMarket(base_url=sandbox.url)
        assert market.stress() == {}
        wild = {"extreme_volatility": True, "margin_multiplier": 3, "dislocation": "BELOW_LOWER_BOUND"}
        sandbox.control("switches", {"market": "PF_ETHUSD", "stress": wild})
        assert market.stress() == {"PF_ETHUSD": stress_of("PF_ETHUSD", dislocated=True, volatile=True, by="3")}
