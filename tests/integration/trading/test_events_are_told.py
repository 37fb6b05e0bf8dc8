"""What happens to positions and entries reaches the topic, by the real run that does it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.sns.models import sns_backends

from functions.reconcile_positions.reconcile import reconcile_positions
from tests.fakes.cloud import REGION, Cloud
from tests.integration.trading.interleaving import Meanwhile
from tests.integration.trading.test_repairs import cancel_stop
from tests.integration.trading.world import World, new_world
from trading.model.alerts import Alert, AlertKind, Severity
from trading.model.orders import Purpose


def told(kind: AlertKind) -> list[dict[str, Any]]:
    """The alerts of a kind as they reached the topic."""
    topics = sns_backends[DEFAULT_ACCOUNT_ID][REGION].topics.values()
    sent = [json.loads(message) for topic in topics for _, message, *_ in topic.sent_notifications]
    return [alert for alert in sent if alert["kind"] == kind]


def test_filled_entry_is_told_as_opened_position(world: World) -> None:
    world.add_signal()
    world.execute()
    assert told(AlertKind.POSITION_OPENED) == []
    world.minute(COIN="99.5")
    world.minute(COIN="100.2")
    [alert] = told(AlertKind.POSITION_OPENED)
    assert (alert["severity"], alert["title"], alert["subject"]) == (
        Severity.INFO,
        "COIN long opened",
        world.position().id,
    )


def test_exit_rule_that_fires_is_told_as_adjustment(world: World) -> None:
    world.open_position()
    assert told(AlertKind.POSITION_ADJUSTED) == []
    world.minute(COIN="102.2")
    alerts = told(AlertKind.POSITION_ADJUSTED)
    assert [(each["severity"], each["subject"]) for each in alerts] == [
        (Severity.INFO, f"{world.position().id}:break_even")
    ]


def test_ended_position_is_told_with_its_result(world: World) -> None:
    position = world.open_position()
    assert told(AlertKind.POSITION_CLOSED) == []
    world.minute(COIN="97.5")
    [alert] = told(AlertKind.POSITION_CLOSED)
    [trade] = world.trades()
    assert (alert["severity"], alert["subject"]) == (Severity.INFO, position.id)
    assert alert["title"] == f"COIN long closed: {trade.r_multiple:+.2f} R"
    assert f"{trade.net:+.2f} USD net" in alert["text"]


def test_refused_entry_is_told_as_failed_order(world: World) -> None:
    world.add_signal()
    world.venue.faults.sends = ["", "postWouldExecute"]
    world.execute()
    [alert] = told(AlertKind.ORDER_FAILED)
    assert (alert["severity"], alert["title"]) == (Severity.WARNING, "COIN: entry not placed")


def test_naked_position_is_told_though_the_record_was_lost(world: World) -> None:
    """Another run writes it right before the stop is recorded: nothing can be sent in this one."""
    world.open_position()
    cancel_stop(world)
    written = Meanwhile(world.venue, "quotes", lambda: world.cloud.ledger.save_position(world.position()))
    report = reconcile_positions(world.desk(written))
    assert any("COIN: " in each for each in report.failures)
    assert (report.repaired, len(told(AlertKind.NAKED_POSITION))) == ([], 1)


def test_position_without_a_stop_is_told_at_once(world: World) -> None:
    position = world.open_position()
    cancel_stop(world)
    world.minute()
    [alert] = told(AlertKind.NAKED_POSITION)
    assert (alert["severity"], alert["subject"]) == (Severity.CRITICAL, position.id)


@dataclass
class Observed:
    """The real alerts; `stops`: how many worked at the venue when each was told."""

    world: World
    stops: list[int] = field(default_factory=list)

    def tell(self, alert: Alert) -> bool:
        self.stops.append(sum(each.trigger_price is not None for each in self.world.venue.open_orders()))
        return self.world.cloud.alerts.tell(alert)


def two_naked_positions(cloud: Cloud) -> World:
    world = new_world(cloud, ("COIN", "TWO"))
    for name in ("COIN", "TWO"):
        world.open_position(name)
    for name in ("COIN", "TWO"):
        world.venue.engine.cancel(client_order_id=world.intent(Purpose.STOP, name).client_order_id)
    world.venue.advance(30)
    return world


def test_no_stop_waits_for_an_alert(cloud: Cloud) -> None:
    """One that is slow to publish would take the time of the positions behind it."""
    world = two_naked_positions(cloud)
    alerts = Observed(world)
    reconcile_positions(replace(world.desk(), alerts=alerts))  # type: ignore[arg-type]
    assert len(told(AlertKind.NAKED_POSITION)) == 2
    assert set(alerts.stops) == {2}


def test_long_run_tells_before_it_is_killed(cloud: Cloud) -> None:
    """Orders that hang take the whole time of a run, which tells nothing when it ends at its limit."""
    world = two_naked_positions(cloud)
    alerts = Observed(world)
    slow = Meanwhile(world.venue, "place", lambda: world.venue.advance(9))
    reconcile_positions(replace(world.desk(slow), alerts=alerts))  # type: ignore[arg-type]
    assert len(told(AlertKind.NAKED_POSITION)) == 2
    assert alerts.stops[0] == 1
