from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import BotoCoreError
from pynamodb.exceptions import PynamoDBException

from functions.check_health import handler as health_handler
from functions.check_health.check import PERIODS, Checked, check
from functions.check_health.coins import CoinSources
from functions.check_health.handler import handler
from functions.check_health.health import Health, Status
from functions.check_health.look import Places
from shared.queues import QueueDepth, queues_client
from shared.secrets import secret_reader
from shared.storage.control import ControlStore
from shared.storage.ledger import Ledger
from shared.storage.quality import QualityStore
from shared.storage.tables import LedgerItem
from tests.integration.operations.conftest import CONTEXT, MARKET, REGION, RULES, World
from tests.unit.control.records import NOW, position, quote
from trading.model.control import KillLevel


@pytest.fixture
def well(world: World) -> World:
    world.set_level(KillLevel.NORMAL)
    for function in (*PERIODS, "check_health"):
        world.control.record_run(function, NOW - timedelta(minutes=1), {})
    world.venue.tickers = {"PF_BTCUSD": quote()}
    return world


def checked(world: World, **changes: Any) -> Checked:
    """Empty queues, secrets in place, no coin looked at before the first close is due."""
    sources = CoinSources(
        market=world.market,
        quality=QualityStore(MARKET),
        decisions=world.decisions,
        late_after=timedelta(seconds=RULES.data.decision_bar_late_after_s),
    )
    places = Places(
        queues={"bars": "bars-url"},
        dead_letters={"runs": "runs-url"},
        secrets={"trading": "trading-id"},
        depth=lambda url: QueueDepth(waiting=0, taken=0),
        has_value=lambda secret: True,
        coins=sources,
    )
    values: dict[str, Any] = {"control": world.control, "ledger": world.ledger, "market": world.venue, "mode": "live"}
    return Checked(**({**values, "places": places, "rules": RULES} | changes))


def health_of(world: World) -> Health:
    return check(checked(world), NOW)


def test_facts_of_the_stores_make_one_record(well: World) -> None:
    well.ledger.adopt_position(position())
    health = health_of(well)
    assert (health.status, health.reasons) == (Status.OK, ())
    assert [line["instrument"] for line in health.positions or ()] == ["BTC"]
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
    health = check(checked(world, control=ControlStore(gone), ledger=Ledger(gone)), NOW)
    assert (health.status, health.store_reachable, health.kill_level) == (Status.DOWN, False, None)
    assert health.alert() is not None
    with pytest.raises((PynamoDBException, BotoCoreError)):
        health.save(ControlStore(gone))


def test_corrupt_position_record_is_a_reason_not_a_crash(well: World) -> None:
    LedgerItem("POSITION", "BTC", body="{broken").save()
    health = health_of(well)
    assert health.status is Status.DOWN
    assert "CorruptRecord" in health.reasons[0]


def stored_at(world: World, now: datetime) -> list[str]:
    """The DynamoDB calls of one whole run at this time."""
    calls: list[str] = []
    client = LedgerItem._get_connection().connection.client

    def note(model: Any, **_: Any) -> None:
        calls.append(model.name)

    client.meta.events.register("before-call.dynamodb.*", note)
    world.venue.tickers = {"PF_BTCUSD": quote(at=now)}
    check(checked(world), now).save(world.control)
    client.meta.events.unregister("before-call.dynamodb.*", note)
    return sorted(calls)


def test_run_without_a_look_makes_four_requests(well: World) -> None:
    stored_at(well, NOW)
    assert stored_at(well, NOW + timedelta(minutes=1)) == ["GetItem", "PutItem", "Query", "Query"]
    assert stored_at(well, NOW + timedelta(minutes=4)) == ["GetItem", "PutItem", "Query", "Query"]


def test_run_with_a_look_makes_a_few_more(well: World) -> None:
    # Universe and candle index; then the bars of the newest day, and the quality and traces where coins lack some.
    assert len(stored_at(well, NOW)) <= 4 + 2 + 2 + 3
    assert len(stored_at(well, NOW + timedelta(minutes=5))) <= 4 + 2 + 2 + 1


SETTINGS = {
    "SMC_SPOT_URL": "http://127.0.0.1:1",
    "SMC_FUTURES_URL": "http://127.0.0.1:1",
    "SMC_TRADING_SECRET_ID": "trading",
    "SMC_WEBHOOKS_SECRET_ID": "webhooks",
    "SMC_MODE": "live",
}


@pytest.fixture
def deployed(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """The handler's environment; its queues by name."""
    client = boto3.client("sqs", region_name=REGION)
    urls = {name: client.create_queue(QueueName=name)["QueueUrl"] for name in ("bars", "given-up")}
    listed = {"SMC_QUEUE_URLS": f"bars={urls['bars']}", "SMC_DEAD_LETTER_QUEUE_URLS": f"runs={urls['given-up']}"}
    for name, value in (SETTINGS | listed).items():
        monkeypatch.setenv(name, value)
    queues_client.cache_clear()
    secret_reader.cache_clear()
    yield urls
    for url in urls.values():
        client.delete_queue(QueueUrl=url)
    queues_client.cache_clear()


def invoked() -> dict[str, Any]:
    answer: dict[str, Any] = handler({}, CONTEXT)  # type: ignore[arg-type]
    return answer


def record_of(world: World) -> dict[str, Any]:
    saved = world.control.health()
    assert saved is not None
    found: dict[str, Any] = json.loads(saved[0])
    return found


def test_handler_saves_alerts_and_measures(
    world: World, deployed: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    boto3.client("secretsmanager", region_name=REGION).create_secret(Name="trading", SecretString="canary-credential")
    assert invoked()["status"] == "down"
    output = capsys.readouterr().out
    metrics = next(json.loads(line) for line in output.splitlines() if '"_aws"' in line)
    assert (metrics["KillLevel"], metrics["NakedPositions"], metrics["Heartbeat"]) == ([1.0], [0.0], [1.0])
    record = record_of(world)
    assert record["secrets"] == {"trading": True, "webhooks": False}
    assert record["told_at"] == record["at"]
    (message,) = world.published()
    assert "System is down" in message["Body"]
    assert "canary" not in output + json.dumps(record) + message["Body"]
    boto3.client("secretsmanager", region_name=REGION).delete_secret(
        SecretId="trading", ForceDeleteWithoutRecovery=True
    )


@pytest.mark.parametrize("mode", ["live", "paper"])
def test_missing_trading_key_matters_only_when_live(
    world: World, deployed: dict[str, str], monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    monkeypatch.setenv("SMC_MODE", mode)
    told = any("trading key" in reason for reason in invoked()["reasons"])
    assert told is (mode == "live")
    assert record_of(world)["secrets"] == ({"trading": False} if mode == "live" else {}) | {"webhooks": False}
    assert record_of(world)["mode"] == mode


def test_messages_of_every_queue_are_counted(world: World, deployed: dict[str, str]) -> None:
    client = boto3.client("sqs", region_name=REGION)
    for queue, count in (("bars", 2), ("given-up", 3)):
        for _ in range(count):
            client.send_message(QueueUrl=deployed[queue], MessageBody="{}")
    client.receive_message(QueueUrl=deployed["bars"])
    assert "3 messages were given up (dead letters: runs 3)" in invoked()["reasons"]
    record = record_of(world)
    assert record["queues"] == {"bars": {"waiting": 1, "taken": 1, "busy_seconds": 0.0}}
    assert (record["dlq_messages"], record["dead_letters"]) == (3, {"runs": 3})


def test_queue_that_does_not_answer_is_unknown(world: World, deployed: dict[str, str]) -> None:
    boto3.client("sqs", region_name=REGION).delete_queue(QueueUrl=deployed["given-up"])
    reasons = invoked()["reasons"]
    assert any(reason.startswith("the state of the queues is unknown: QueueDoesNotExist: ") for reason in reasons)
    assert record_of(world)["dlq_messages"] is None
    boto3.client("sqs", region_name=REGION).create_queue(QueueName="given-up")


def test_healthy_run_tells_nobody_and_measures(
    well: World, deployed: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(health_handler, "futures_of", lambda url: well.venue)
    monkeypatch.setenv("SMC_MODE", "paper")
    assert invoked() == {"status": "ok", "reasons": []}
    metrics = next(json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line)
    assert metrics["VenueSeconds"][0] >= 0
    assert record_of(well)["told_at"] is None
    assert well.published() == []
