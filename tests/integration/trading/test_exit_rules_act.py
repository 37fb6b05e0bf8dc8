"""New exit rules on the real path: the order that follows at the venue, and that none does when the rule is off."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.fakes.cloud import Cloud
from tests.fakes.records import rules_with
from tests.integration.trading.exit_scene import NAMES, decided, first_target, hours, in_disorder, to_next_hour
from tests.integration.trading.world import World, new_world
from trading.model.decisions import Bias
from trading.model.orders import Purpose
from trading.model.positions import PositionState
from trading.model.units import Price


def bias_turns(world: World) -> None:
    world.open_position()
    to_next_hour(world)
    decided(world, Bias.DOWN)


def funding_rises(world: World) -> None:
    """0.02 USD an hour of 100: 48 bps a day."""
    world.open_position()
    world.venue.charge_funding("PF_COINUSD", "0.02")
    world.venue.advance(30)


def contract_is_shaken(world: World) -> None:
    world.open_position()
    world.venue.advance(30, COIN="101.5")
    in_disorder(world)


def price_runs(world: World) -> None:
    """ATR (13 + 4) / 14 = 1.2143, x 1.5 = 1.8214 below 104."""
    first_target(world)
    to_next_hour(world)
    hours(world, (104.0, 103.0))


def price_runs_far(world: World) -> None:
    """3 R: ATR (13 + 6) / 14 = 1.3571, x 1.3 = 1.7643 below 106."""
    first_target(world)
    world.venue.advance(60, COIN="104.9")
    to_next_hour(world)
    hours(world, (106.0, 105.0))


Prepare = Callable[[World], None]
CLOSING: list[tuple[str, Prepare]] = [("abandon_ship", bias_turns), ("funding", funding_rises)]
MOVING: list[tuple[str, Prepare, str]] = [
    ("market_disorder", contract_is_shaken, "100.4"),
    ("trailing", price_runs, "102.1"),
    ("progressive_tightening", price_runs_far, "104.2"),
]


def world_with(cloud: Cloud, rule: str, on: bool) -> World:
    """Of the rules that move a stop only this one, so that no other does in its place."""
    moving = {name: False for name, *_ in MOVING}
    switches = ", ".join(f'"{name}": {str(value).lower()}' for name, value in (moving | {rule: on}).items())
    return new_world(cloud, rules=rules_with(f'{{"exits": {{{switches}}}}}'))


@pytest.mark.parametrize("on", [True, False])
@pytest.mark.parametrize(("rule", "prepare"), CLOSING)
def test_rule_closes_the_position(cloud: Cloud, rule: str, prepare: Prepare, on: bool) -> None:
    world = world_with(cloud, rule, on)
    prepare(world)
    report = world.manage()
    assert (report.fired[rule], report.failures) == (int(on), [])
    assert bool(world.venue.positions()) is not on
    assert world.position().close_reason == (rule if on else "")


@pytest.mark.parametrize("on", [True, False])
@pytest.mark.parametrize(("rule", "prepare", "level"), MOVING)
def test_rule_moves_the_stop_at_the_venue(cloud: Cloud, rule: str, prepare: Prepare, level: str, on: bool) -> None:
    world = world_with(cloud, rule, on)
    prepare(world)
    before = world.position().stop
    report = world.manage()
    assert (report.fired[rule], report.failures) == (int(on), [])
    triggers = {each.trigger_price for each in world.venue.open_orders() if each.trigger_price is not None}
    assert triggers == {Price(level) if on else before}
    assert world.position().stop == (Price(level) if on else before)
    assert world.position().state is PositionState.PROTECTED
    assert world.venue.naked_seconds_max() == 0


def test_stop_moves_once_and_orders_do_not_repeat(cloud: Cloud) -> None:
    world = world_with(cloud, "trailing", True)
    price_runs(world)
    sent = []
    for _ in range(5):
        world.minute()
        sent.append(len(world.venue.placed))
    assert sent == [sent[0]] * 5
    assert sum(run[2].fired["trailing"] for run in world.runs) == 1
    assert len(world.position().resting(Purpose.STOP)) == 1


def test_passed_trailing_level_closes_the_runner(cloud: Cloud) -> None:
    """Nothing ran while the price rose and fell back by more than the trailing distance."""
    world = world_with(cloud, "trailing", True)
    first_target(world)
    to_next_hour(world)
    hours(world, (106.0, 103.0))
    report = world.manage()
    assert report.fired == {"trailing": 1}
    assert world.position().close_reason == "trailing"
    assert not world.venue.positions()


def test_every_rule_is_evaluated_every_minute(cloud: Cloud) -> None:
    world = new_world(cloud)
    world.open_position()
    world.minutes(3)
    assert all(run[2].evaluated == dict.fromkeys(NAMES, 1) for run in world.runs[-3:])
