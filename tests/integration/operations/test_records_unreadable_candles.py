"""Stored candles that do not decode are told: their coin gets no entries, and nobody would know why."""

from __future__ import annotations

import pytest

from functions.maintain_records.maintain import maintain
from shared.storage.tables import MarketDataItem
from tests.integration.operations.conftest import World
from tests.integration.operations.records_scene import coins, fill, records_of
from tests.unit.control.records import NOW
from trading.model.alerts import AlertKind
from trading.model.times import Timeframe

UNREADABLE = "unreadable candles"


def alerts(world: World) -> list[str]:
    told = maintain(records_of(world, NOW), NOW).alerts()
    return [each.text for each in told if each.kind is AlertKind.STALE_DATA and each.subject == UNREADABLE]


def damage(partition: str, sort: str) -> None:
    item = MarketDataItem.get(partition, sort)
    assert item.data is not None
    item.data = bytes(item.data[: len(item.data) // 2])
    item.save()


@pytest.fixture
def stored(world: World) -> World:
    fill(world, coins(2), NOW, bars=200)
    return world


def test_readable_candles_raise_no_alert(stored: World) -> None:
    assert alerts(stored) == []


def test_damaged_block_is_told_with_its_coin(stored: World) -> None:
    damage(f"CANDLES#{coins(2)[0]}", Timeframe.H1)
    (text,) = alerts(stored)
    assert coins(2)[0] in text
    assert coins(2)[1] not in text


def test_damaged_bars_since_the_fold_are_told(stored: World) -> None:
    key = (coins(2)[0], Timeframe.H1)
    stored.market.add({key: stored.market.load([key[0]], [key[1]], NOW).series[key].last(4)}, NOW)
    slabs = [each for each in MarketDataItem.scan() if each.sk.startswith(f"{NOW:%Y-%m-%d}") and each.data]
    assert slabs
    for slab in slabs:
        damage(slab.pk, slab.sk)
    assert len(alerts(stored)) == 1
