from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import BotoCoreError
from pynamodb.exceptions import PynamoDBException

from functions.check_health.check import PERIODS, check
from functions.check_health.handler import handler
from functions.check_health.health import Health, Status
from shared.storage.control import ControlStore
from shared.storage.ledger import Ledger
from shared.storage.tables import LedgerItem
from tests.integration.operations.conftest import CONTEXT, REGION, World
from tests.unit.control.records import NOW, position, quote
from trading.model.control import KillLevel

SECRETS: dict[str, bool | None] = {"trading": True, "webhooks": True}


@pytest.fixture
def well(world: World) -> World:
    world.set_level(KillLevel.NORMAL)
    for function in (*PERIODS, "check_health"):
        world.control.record_run(function, NOW - timedelta(minutes=1), {})
    world.venue.tickers = {"PF_BTCUSD": quote()}
    return world


def health_of(world: World) -> Health:
    return check(world.control, world.ledger, world.venue, SECRETS, NOW)  # type: ignore[arg-type]


def test_facts_of_the_stores_make_one_record(well: World) -> None:
    well.ledger.adopt_position(position())
    health = health_of(well)
    assert (health.status, health.reasons) == (Status.OK, ())
    assert [line["instrument"] for line in health.positions] == ["BTC"]
    assert len(health.last_runs) == len(PERIODS) + 1


def test_saved_record_is_what_status_reads(well: World) -> None:
    health_of(well).save(well.control)
    saved = well.control.health()
    assert saved is not None
    assert (json.loads(saved[0])["status"], saved[1]) == ("ok", NOW)
    run = well.control.last_run("check_health")
    assert run is not None
    assert run.at == NOW


def test_overtaken_run_leaves_the_newer_record(well: World) -> None:
    later = NOW + timedelta(minutes=1)
    well.control.save_health('{"status": "down"}', later)
    health_of(well).save(well.control)
    assert well.control.health() == ('{"status": "down"}', later)


def test_unreachable_venue_is_down_with_its_words(well: World) -> None:
    well.venue.silent = True
    health = health_of(well)
    assert (health.status, health.venue_reachable) == (Status.DOWN, False)
    assert health.reasons == ("venue does not answer (venue does not answer)",)


def test_unreachable_store_is_down_and_alerted(world: World) -> None:
    world.venue.tickers = {"PF_BTCUSD": quote()}
    gone = "table-that-is-not-there"
    health = check(ControlStore(gone), Ledger(gone), world.venue, SECRETS, NOW)  # type: ignore[arg-type]
    assert (health.status, health.store_reachable, health.kill_level) == (Status.DOWN, False, None)
    assert health.alert() is not None
    with pytest.raises((PynamoDBException, BotoCoreError)):
        health.save(ControlStore(gone))


def test_corrupt_position_record_is_a_reason_not_a_crash(well: World) -> None:
    LedgerItem("POSITION", "BTC", body="{broken").save()
    health = health_of(well)
    assert health.status is Status.DOWN
    assert "CorruptRecord" in health.reasons[0]


def test_idle_run_makes_at_most_four_requests(well: World) -> None:
    calls: list[str] = []
    client = LedgerItem._get_connection().connection.client
    client.meta.events.register("before-call.dynamodb.*", lambda model, **_: calls.append(model.name))
    health_of(well).save(well.control)
    assert sorted(calls) == ["GetItem", "PutItem", "Query", "Query"]


def test_handler_saves_alerts_and_measures(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = {
        "SMC_SPOT_URL": "http://127.0.0.1:1",
        "SMC_FUTURES_URL": "http://127.0.0.1:1",
        "SMC_TRADING_SECRET_ID": "trading",
        "SMC_WEBHOOKS_SECRET_ID": "webhooks",
        "SMC_MODE": "live",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    boto3.client("secretsmanager", region_name=REGION).create_secret(Name="trading", SecretString="canary-credential")
    answer: dict[str, Any] = handler({}, CONTEXT)  # type: ignore[arg-type]
    assert answer["status"] == "down"
    output = capsys.readouterr().out
    metrics = next(json.loads(line) for line in output.splitlines() if '"_aws"' in line)
    assert (metrics["KillLevel"], metrics["NakedPositions"], metrics["Heartbeat"]) == ([1.0], [0.0], [1.0])
    saved = world.control.health()
    assert saved is not None
    assert json.loads(saved[0])["secrets"] == {"trading": True, "webhooks": False}
    (message,) = world.published()
    assert "System is down" in message["Body"]
    assert "canary" not in output + saved[0] + message["Body"]
