from __future__ import annotations

import pytest

from shared.venue.asset_codes import COMMON_CODES, common_code
from shared.venue.ccxt_classes import kraken, krakenfutures


def test_table_is_the_installed_ccxts_table() -> None:
    assert {**krakenfutures().commonCurrencies, **kraken().commonCurrencies} == COMMON_CODES


@pytest.mark.parametrize("name", ["XBT", "XXBT", "xbt", "BTC"])
def test_every_bitcoin_name_is_one_coin(name: str) -> None:
    assert common_code(name) == "BTC"
