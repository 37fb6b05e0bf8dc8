from __future__ import annotations

import json
from datetime import timedelta

from functions.render_dashboard.handler import handler
from shared.storage.tables import LedgerItem
from tests.integration.operations.conftest import CONTEXT, World
from tests.unit.control.records import NOW, decision, position, trade
from trading.model.decisions import Outcome


def test_cockpit_shows_health_decisions_and_trades(world: World) -> None:
    line = {"instrument": "ETH", "side": "long", "stop": "90", "r": "0.50"}
    health = {"status": "degraded", "reasons": ["newest candle is 31 min old"], "positions": [line], "kill_level": 1}
    world.control.save_health(json.dumps(health), NOW)
    world.decisions.add([decision("BTC", NOW, Outcome.STALE_DATA, "BTC <b>late</b>")])
    closed = world.ledger.adopt_position(position())
    world.ledger.close_position(closed, trade())
    html = handler({"widgetContext": {}}, CONTEXT)  # type: ignore[arg-type]
    for expected in ("degraded", "newest candle is 31 min old", "ETH", "STALE_DATA", "target_2", "+12.50"):
        assert expected in html
    assert "<b>late</b>" not in html
    assert "BTC &lt;b&gt;late&lt;/b&gt;" in html


def test_undecided_hour_shows_the_one_before(world: World) -> None:
    world.decisions.add([decision("BTC", NOW - timedelta(hours=1), sentence="seen an hour ago")])
    assert "seen an hour ago" in handler({}, CONTEXT)  # type: ignore[arg-type]


def test_empty_system_is_drawn_and_nothing_written(world: World) -> None:
    html = handler({}, CONTEXT)  # type: ignore[arg-type]
    assert "check_health has never run" in html
    assert "<script" not in html
    assert list(LedgerItem.scan()) == []


def test_widget_describes_itself_when_asked(world: World) -> None:
    assert handler({"describe": True}, CONTEXT).startswith("Cockpit")  # type: ignore[arg-type]
