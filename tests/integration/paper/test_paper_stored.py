"""Books as an older version, or something broken, has stored them."""

from __future__ import annotations

import json
import zlib
from typing import Any

import pytest

from shared.storage.tables import LedgerItem
from tests.integration.paper.desk import COIN, PaperDesk
from trading.errors import VenueUnavailable


def store_again(changes: dict[str, Any], left_out: tuple[str, ...] = ()) -> None:
    """Change the stored last price of the coin."""
    item = LedgerItem.get("PAPER", "BOOKS")
    document = json.loads(zlib.decompress(bytes(item.data or b"")))
    seen = {**document["seen"][COIN], **changes}
    document["seen"][COIN] = {name: value for name, value in seen.items() if name not in left_out}
    item.data = zlib.compress(json.dumps(document).encode())
    item.save()


@pytest.mark.parametrize("wrong", [{"mark": "NaN"}, {"mark": "0"}, {"odd": "1"}, {"index": "x"}, {"mark": None}])
def test_stored_price_that_is_none_is_refused(desk: PaperDesk, wrong: dict[str, Any]) -> None:
    desk.buy()
    store_again(wrong)
    with pytest.raises(VenueUnavailable, match="does not decode"):
        desk.run().positions()


def test_price_stored_without_its_book_is_read(desk: PaperDesk) -> None:
    desk.buy()
    store_again({}, left_out=("bid_distance", "ask_distance"))
    assert len(desk.run().positions()) == 1
