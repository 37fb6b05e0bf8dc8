"""Stored traces say their format; another one is refused in words and hides no other trace."""

from __future__ import annotations

import zlib
from datetime import timedelta

import pytest

from shared.storage.codec import to_json
from shared.storage.decisions import TRACE_FORMAT, decode_trace, encode_trace
from shared.storage.tables import DecisionItem
from tests.fakes.cloud import Cloud
from tests.unit.control.records import decision
from tests.unit.strategy.markets import DECISION_BAR, hours, snapshot
from trading.errors import CorruptRecord
from trading.model.instruments import InstrumentId
from trading.model.times import to_text
from trading.rules import load_rules
from trading.strategy.decide import decide

BAR = DECISION_BAR
BTC = InstrumentId("BTC")


def packed(text: str) -> bytes:
    return zlib.compress(text.encode())


def overwrite(coin: str, data: bytes | None) -> None:
    """Another version of the code wrote this trace."""
    item = DecisionItem.get(f"BAR#{to_text(BAR)}", f"TRACE#{coin}")
    item.data, item.body = data, to_json(decision(coin, BAR)) if data is None else None
    item.save()


@pytest.mark.parametrize("seed", range(8))
def test_any_decision_survives_its_stored_text(seed: int) -> None:
    made = decide(snapshot(hours(seed)), load_rules())
    assert decode_trace(encode_trace(made)) == made
    assert made.inputs is not None


def test_traces_fit_into_few_write_units() -> None:
    sizes = {len(encode_trace(decide(snapshot(hours(seed)), load_rules()))) for seed in range(8)}
    assert max(sizes) < 1_200
    assert min(sizes) < 600
    assert decode_trace(encode_trace(decision("BTC", BAR))) == decision("BTC", BAR)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (packed(to_json(decision("BTC", BAR))), f"it has no format, expected format {TRACE_FORMAT}"),
        (packed('{"format":99,"trace":{}}'), f"it has format 99, expected format {TRACE_FORMAT}"),
        (packed('{"format":2,"trace":{"novelty":1}}'), "unknown field novelty"),
        (to_json(decision("BTC", BAR)).encode(), f"it is no trace this code knows, expected format {TRACE_FORMAT}"),
        (encode_trace(decision("BTC", BAR))[:-9], "it is no trace this code knows"),
        (b"", "it is no trace this code knows"),
    ],
    ids=["bare", "later", "field", "text", "cut", "empty"],
)
def test_trace_of_another_format_is_refused(data: bytes, told: str) -> None:
    with pytest.raises(CorruptRecord, match=told):
        decode_trace(data)


def test_unreadable_trace_hides_no_other_trace(cloud: Cloud) -> None:
    cloud.decisions.add([decision(coin, BAR) for coin in ("BTC", "ETH", "SOL")])
    overwrite("ETH", packed('{"format":3,"trace":{}}'))
    listing = cloud.decisions.listing(BAR)
    assert [each.instrument for each in listing.decisions] == ["BTC", "SOL"]
    assert listing.refused == (
        f"the trace of ETH at {to_text(BAR)} cannot be read: it has format 3, expected format {TRACE_FORMAT}",
    )
    with pytest.raises(CorruptRecord, match="the trace of ETH"):
        cloud.decisions.traces(BAR)


def test_listing_of_a_coin_is_oldest_first(cloud: Cloud) -> None:
    bars = [BAR - timedelta(hours=number) for number in range(4)]
    cloud.decisions.add([decision("BTC", bar) for bar in bars[:3]])
    overwrite("BTC", None)
    listing = cloud.decisions.listing_of(BTC, bars)
    assert [each.decision_bar for each in listing.decisions] == [bars[2], bars[1]]
    assert len(listing.refused) == 1
    assert len(cloud.decisions.traces_of(BTC, bars[1:])) == 2
