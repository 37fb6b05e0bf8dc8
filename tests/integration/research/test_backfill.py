"""Archives come into the history whole or not at all, once, and an interrupted import goes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest

from infra.research import archives
from infra.research.backfill import Imported, backfill
from infra.research.history import HistoryStore, Line
from tests.fakes.candle_archives import BAD_ARCHIVES, START, segment_lines, write_export, write_segment
from tests.fakes.cloud import MARKET, Cloud
from trading.errors import CorruptRecord, InvalidInput
from trading.model.instruments import InstrumentId, Universe
from trading.model.times import Timeframe

NOW = datetime(2024, 9, 1, tzinfo=UTC)
DAYS_70 = 70 * 24
BTC = Line(coin=InstrumentId("BTC"), timeframe=Timeframe.M15, quote="USDT")
BTC_HOURS = replace(BTC, timeframe=Timeframe.H1)


class Interrupted(Exception):
    """Somebody pressed Ctrl-C."""


def bring_in(store: HistoryStore, *paths: Path, advance: Callable[[str], None] = lambda _: None) -> list[Imported]:
    return list(backfill(paths, store, NOW, advance))


def items() -> dict[tuple[str, str], dict[str, Any]]:
    """The whole table as DynamoDB holds it."""
    found = boto3.client("dynamodb").scan(TableName=MARKET, ConsistentRead=True)["Items"]
    return {(each["pk"]["S"], each["sk"]["S"]): each for each in found}


def two_archives(folder: Path) -> tuple[Path, Path]:
    """Two coins with 1h bars of January to 10 March: three blocks each."""
    lines = segment_lines(DAYS_70, seconds=3600)
    eth = write_segment(folder, lines, "ETH_USDT-1h-20240101-20240310.csv.gz")
    return write_segment(folder, lines, "BTC_USDT-1h-20240101-20240310.csv.gz"), eth


def test_history_gives_back_every_archived_bar(history: HistoryStore, tmp_path: Path) -> None:
    paths = two_archives(tmp_path)
    told: list[str] = []
    done = bring_in(history, *paths, advance=told.append)
    assert [(each.archive.coin, each.bars, each.added) for each in done] == [("BTC", 1680, 1680), ("ETH", 1680, 1680)]
    assert history.load(BTC_HOURS) == archives.read(archives.named(paths[0]))
    assert history.lines() == (BTC_HOURS, replace(BTC_HOURS, coin=InstrumentId("ETH")))
    assert len(told) == 4


def test_second_import_changes_no_item(history: HistoryStore, tmp_path: Path) -> None:
    paths = two_archives(tmp_path)
    bring_in(history, *paths)
    before = items()
    assert len(before) == 2 + 2 * 3
    again = bring_in(history, *paths)
    assert [(each.added, each.differing, each.replaced) for each in again] == [(0, 0, 0), (0, 0, 0)]
    assert items() == before


@pytest.mark.parametrize("written", range(8))
def test_interrupted_import_goes_on_where_it_was(
    history: HistoryStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: int
) -> None:
    paths = two_archives(tmp_path)
    save, left = history._item.save, [written]

    def save_until(item: Any, **options: Any) -> Any:
        if not left[0]:
            raise Interrupted
        left[0] -= 1
        return save(item, **options)

    with monkeypatch.context() as patched:
        patched.setattr(history._item, "save", save_until)
        with pytest.raises(Interrupted):
            bring_in(history, *paths)
    assert len(items()) == written
    done = bring_in(history, *paths)
    stored_before = sum(each.bars - each.added for each in done)
    assert (stored_before > 0) == (written >= 2)
    assert all(
        history.load(each) == archives.read(archives.named(path))
        for each, path in zip(history.lines(), paths, strict=True)
    )
    assert all(item["version"]["N"] == "1" for key, item in items().items() if key[0] != "HISTORY")


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_order_and_overlap_give_the_same_history(history: HistoryStore, tmp_path: Path, order: tuple[int, int]) -> None:
    lines = segment_lines(400)
    parts = (
        write_segment(tmp_path, lines[:300], "BTC_USDT-15m-20240101-20240104.csv.gz"),
        write_segment(tmp_path, [lines[0], *lines[200:]], "BTC_USDT-15m-20240103-20240105.csv.gz"),
    )
    for place in order:
        bring_in(history, parts[place])
    whole = write_segment(tmp_path, lines, "BTC_USDT-15m-20240101-20240105.csv.gz")
    assert history.load(BTC) == archives.read(archives.named(whole))


@pytest.mark.parametrize("kind", BAD_ARCHIVES)
def test_one_bad_file_leaves_the_store_unchanged(history: HistoryStore, tmp_path: Path, kind: str) -> None:
    good, other = two_archives(tmp_path)
    bring_in(history, good)
    before = items()
    (tmp_path / "bad").mkdir()
    bad = BAD_ARCHIVES[kind].write(tmp_path / "bad")
    with pytest.raises(InvalidInput, match=rf"{bad.name} line \d+: ") as refused:
        bring_in(history, other, bad)
    assert BAD_ARCHIVES[kind].said in str(refused.value)
    assert items() == before


def test_two_markets_of_a_coin_are_never_mixed(history: HistoryStore, tmp_path: Path) -> None:
    tether = write_segment(tmp_path, segment_lines(5))
    dollar = write_export(tmp_path, 5, "XBTUSD_15.csv", 900)
    with pytest.raises(InvalidInput, match="two markets are never mixed"):
        bring_in(history, tether, dollar)
    assert items() == {}
    bring_in(history, dollar)
    with pytest.raises(InvalidInput, match=r"prices in USDT; expected USD as in the other BTC 15m bars"):
        bring_in(history, tether)
    assert [each.quote for each in history.lines()] == ["USD"]


def test_writer_of_another_market_comes_too_late(history: HistoryStore) -> None:
    history.enter(BTC)
    history.enter(BTC)
    with pytest.raises(InvalidInput, match="history of BTC 15m has prices in USDT; expected the same, not USDC"):
        history.enter(replace(BTC, quote="USDC"))


def test_euro_prices_are_refused(history: HistoryStore, tmp_path: Path) -> None:
    euro = write_export(tmp_path, 5, "XBTEUR_60.csv", 3600)
    with pytest.raises(InvalidInput, match="prices in EUR; expected one of USD, USDT, USDC"):
        bring_in(history, euro)


def test_stored_bar_stays_and_difference_is_counted(history: HistoryStore, tmp_path: Path) -> None:
    bring_in(history, write_segment(tmp_path, segment_lines(5)))
    before = history.load(BTC)
    other = write_segment(tmp_path, segment_lines(7, price=500), "BTC_USDT-15m-20240101-20240102.csv.gz")
    (done,) = bring_in(history, other)
    assert (done.added, done.differing) == (2, 5)
    assert history.load(BTC).until(START + 5 * 900) == before


def test_corrupt_block_is_refused_then_replaced_loudly(history: HistoryStore, tmp_path: Path) -> None:
    path, _ = two_archives(tmp_path)
    bring_in(history, path)
    item = history._item.get("HISTORY#BTC#1h", "2024-02")
    item.data = b"SMCB" + bytes(40)
    item.save()
    with pytest.raises(CorruptRecord, match=r"history of BTC 1h 2024-02: .*backfill it again"):
        history.load(BTC_HOURS)
    (done,) = bring_in(history, path)
    assert (done.replaced, done.added) == (1, 29 * 24)
    assert len(history.load(BTC_HOURS)) == DAYS_70


def test_bars_that_decisions_read_stay_untouched(cloud: Cloud, history: HistoryStore, tmp_path: Path) -> None:
    cloud.market.save_universe(Universe(instruments=()), NOW, None)
    live = archives.read(archives.named(write_segment(tmp_path, segment_lines(3, start=START + 172_800))))
    cloud.market.add_history({(BTC.coin, Timeframe.M15): live}, NOW)
    before = items()
    bring_in(history, *two_archives(tmp_path), write_segment(tmp_path, segment_lines(300)))
    after = items()
    assert {key: after[key] for key in before} == before
    assert cloud.market.load_series([BTC.coin], [Timeframe.M15], NOW)[BTC.coin, Timeframe.M15] == live
