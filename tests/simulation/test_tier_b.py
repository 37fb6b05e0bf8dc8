"""Tier B is the same day over real adapters and stores: what lies between them and the kernel."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from functools import cache
from random import Random
from typing import Any, cast

import pytest
from botocore.exceptions import BotoCoreError, ClientError
from requests.exceptions import RequestException

from infra.local.sandbox.wire import json_response
from shared.clock import SystemClock, current_clock
from shared.venue.kraken_rest import send_parameters
from tests.fakes.records import NOW, ours, planned
from tests.simulation.crash_points import Outcome, plan, run_scenario
from tests.simulation.faults import Mode, Tape
from tests.simulation.invariants import INVARIANTS
from tests.simulation.judge import Judge
from tests.simulation.kernel import Invocation
from tests.simulation.options import Options, draw_options
from tests.simulation.people import People
from tests.simulation.playing import Played, play
from tests.simulation.scenario_list import scenario_of
from tests.simulation.scenarios import ScriptedWorkload
from tests.simulation.tier_b import spoiling
from tests.simulation.tier_b.defects import ADAPTER_DEFECTS
from tests.simulation.tier_b.rules_text import override_of
from tests.simulation.tier_b.secrecy import NothingSecretLeaves
from tests.simulation.tier_b.venue import order_request
from tests.simulation.tier_b.world import WorldB
from tests.simulation.transports.http import SECRET
from tests.simulation.workload import HOUR_MS, Workload
from tests.simulation.world import OTHER_RULES, QUIET_MS
from trading.model.orders import OrderRequest, OrderSide, OrderType
from trading.model.units import Price, Quantity
from trading.rules import load_rules

SCRIPT = "B: target 1, break-even, stop"
CENT = Decimal("0.01")
BROKEN = Invocation(function="reconcile_positions", name="broken", timeout_s=20)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    world: WorldB
    played: Played
    calls: frozenset[str]


def world_of(options: Options, hours: int) -> WorldB:
    return WorldB(options=options, tape=Tape(), day_ms=hours * HOUR_MS)


def run(options: Options, hours: int) -> Ran:
    world, calls = world_of(options, hours), set[str]()
    world.observers.append(calls.add)
    played = play(Workload(world), world.day_ms + QUIET_MS, people=People(world))
    return Ran(world=world, played=played, calls=frozenset(calls))


@cache
def calm() -> Ran:
    return run(replace(draw_options(1, "calm"), signals=6), 3)


def drawn() -> Options:
    return replace(draw_options(3, "storm"), signals=8, operator_acts=1, deploys=2)


@cache
def scripted() -> tuple[WorldB, Played]:
    world = cast(WorldB, scenario_of(SCRIPT).world(Tape()))
    return world, play(ScriptedWorkload(world, scenario_of(SCRIPT)), world.day_ms + QUIET_MS)


def test_calm_hours_trade_and_violate_nothing() -> None:
    ran = calm()
    assert ran.played.violations == ()
    assert ran.world.venue.engine.books.fills
    assert {each.kind for each in ran.world.tape.faults} == set()


def test_every_layer_below_the_handlers_is_real() -> None:
    expected = {
        *("store.ledger.open_position", "store.ledger.save_position", "store.control.record_run"),
        *("store.secretsmanager.GetSecretValue", "store.watch.save", "store.decisions.add_stage"),
        *("venue.place", "venue.openpositions", "venue.openorders", "venue.tickers", "venue.orderbook"),
        *("venue.fills", "spot.Ticker"),
    }
    assert expected <= calm().calls
    assert calm().world.output.written > 10_000


def test_every_item_is_called_by_its_store() -> None:
    unknown = {each for each in calm().calls if each.endswith(("Item", "Items")) or each.startswith("store.market.Q")}
    assert unknown == {"store.market.Query"}, "the last closes are read from slabs"


def test_same_seed_gives_the_same_trace() -> None:
    first, again = run(drawn(), 2), run(drawn(), 2)
    assert len(first.world.tape.faults) > 40
    assert first.played.digest == again.played.digest


def test_day_leaves_this_process_as_it_was() -> None:
    calm()
    assert isinstance(current_clock(), SystemClock)
    # A world that is not installed calls no kernel: its stores are reached by nobody.
    assert world_of(drawn(), 1).environments.cold == 0


def test_scripted_world_ends_as_on_tier_a() -> None:
    world, played = scripted()
    assert played.violations == ()
    assert all(played.counts[each] for each in scenario_of(SCRIPT).expects)
    (archived,) = [each for month in world.tables.archive.values() for each in month.values()]
    assert archived.trade is not None
    assert abs(archived.trade.net - (world.venue.engine.equity() - 10_000)) < CENT


def test_lost_reply_of_a_send_is_found_out() -> None:
    send = next(each for each in plan(scenario_of(SCRIPT)).base.sites if each.name == "place")
    outcome: Outcome = run_scenario(scenario_of(SCRIPT), {send.number: Mode.LOST})
    assert outcome.counts["protective SENDING -> UNKNOWN"] == 1
    assert outcome.violations == ()


def test_mistake_of_an_adapter_is_seen() -> None:
    script, mistake = scenario_of(SCRIPT), ADAPTER_DEFECTS[0]
    sites = plan(script).base.sites
    send = next(each for each in sites if each.name == "place" and each.told.startswith("reconcile"))
    with mistake.plant():
        outcome = run_scenario(script, {send.number: Mode.LOST})
    assert [each.name for each in outcome.violations] == ["S8"]


# the tables as they are shown


def test_record_is_the_same_object_until_it_is_written() -> None:
    world = world_of(drawn(), 1)
    with world.installed():
        held = world.ledger_truth.adopt_position(planned())
        shown = world.tables.positions[held.instrument]
        world.market_truth.set_closes(NOW, {held.instrument: 100.0})
        assert world.tables.positions[held.instrument] is shown
        assert (shown.value, shown.version, shown.state) == (held, 1, str(held.state))
        world.ledger_truth.save_position(held)
        assert world.tables.positions[held.instrument] is not shown
        assert world.tables.positions is world.tables.positions


def test_damaged_record_is_shown_as_its_text() -> None:
    world = world_of(drawn(), 1)
    with world.installed():
        held = world.ledger_truth.adopt_position(planned())
        before = world.tables.positions[held.instrument]
        world.tables.corrupt_position(held.instrument, "{")
        assert world.tables.positions[held.instrument].value == "{"
        assert len(world.ledger_truth.readable_positions()[1]) == 1
        world.tables.positions[held.instrument] = before
        assert world.ledger_truth.open_positions() == (held,)


def test_restored_tables_are_other_ones() -> None:
    world = world_of(drawn(), 1)
    with world.installed():
        empty, shown = cast(Any, world.tables).snapshot(), world.tables.positions
        world.ledger_truth.adopt_position(planned())
        assert len(world.tables.positions) == len(shown) == 1
        cast(Any, world.tables).restore(empty)
        assert world.tables.positions is not shown
        assert not world.tables.positions
        assert world.tables.control is not None


# the venue


@pytest.mark.parametrize(
    ("kind", "prices"),
    [
        (OrderType.POST, {"limit_price": Price("99.5")}),
        (OrderType.STOP, {"trigger_price": Price("97.25")}),
        (OrderType.MARKET, {}),
    ],
)
def test_order_is_read_back_from_its_request(kind: OrderType, prices: dict[str, Price]) -> None:
    request = OrderRequest(
        contract="PF_COINUSD",
        side=OrderSide.SELL,
        type=kind,
        quantity=Quantity("1.25"),
        client_order_id=ours("one"),
        reduce_only=kind is OrderType.STOP,
        process_before=NOW + timedelta(seconds=10),
        **prices,
    )
    assert order_request(send_parameters(request)) == request


# what goes wrong


@pytest.mark.parametrize("mode", [Mode.ERROR, Mode.LOST, Mode.DOWN])
def test_spoilt_store_raises_what_botocore_raises(mode: Mode) -> None:
    raised = set()
    for seed in range(20):
        with pytest.raises((ClientError, BotoCoreError)) as caught:
            spoiling.store_answer(mode, "TransactWriteItems", "POSITION/COIN+CONTROL/CURRENT", Random(seed))
        raised.add(type(caught.value))
    assert (ClientError in raised) is (mode is not Mode.DOWN)
    assert (raised == {ClientError}) is (mode is Mode.ERROR)


def test_spoilt_venue_answer_is_never_the_true_one() -> None:
    true, seen = json_response({"result": "success", "openOrders": [{"order_id": "one"}]}), set()
    for mode in (Mode.ERROR, Mode.LOST, Mode.GARBLED, Mode.DOWN):
        for seed in range(30):
            try:
                answer = spoiling.venue_answer(mode, true if mode is not Mode.DOWN else None, Random(seed))
            except RequestException as error:
                seen.add(type(error).__name__)
            else:
                assert (answer.body, answer.cut) != (true.body, None)
                seen.add(str(answer.status))
    assert seen >= {"ReadTimeout", "ConnectTimeout", "ConnectionError", "200", "503", "429", "500"}


def test_retyped_answer_changes_no_row() -> None:
    rows = [{"order_id": "one", "cliOrdId": "smc-one"}]
    true = json_response({"result": "success", "openOrders": rows})
    changed = {json.dumps(json.loads(spoiling.retyped(true, Random(seed)).body)["openOrders"]) for seed in range(20)}
    assert changed == {"null", "{}", '"no such word"'}


# processes


def test_rules_of_a_version_survive_the_environment() -> None:
    assert load_rules(override_of(OTHER_RULES)) == OTHER_RULES
    assert override_of(load_rules()) == ""


def test_killed_process_takes_its_environment_along() -> None:
    world = world_of(replace(draw_options(1, "calm"), seed=8), 1)
    with world.installed():
        for number in range(3):
            world.invoke("reconcile_positions", f"warm {number}")
            world.kernel.run(world.kernel.now_ms + 10_000)
        assert world.environments.cold == 1
        killed = world.invoke("reconcile_positions", "killed")
        world.kernel.kill(killed, "killed")
        world.invoke("reconcile_positions", "after")
        world.kernel.run(world.kernel.now_ms + 10_000)
        assert world.environments.cold == 2


def test_both_versions_answer_for_a_while_after_a_deploy() -> None:
    world, seen = world_of(draw_options(1, "calm"), 1), set[int]()
    with world.installed():
        world.deploy(60_000)
        for number in range(12):
            process = world.invoke("reconcile_positions", f"run {number}")
            seen.add(world.environments.of(process).version)
            world.kernel.run(world.kernel.now_ms + 4_900)
        assert seen == {0, 1}
        world.kernel.run(61_000)
        late = [world.invoke("reconcile_positions", f"late {number}") for number in range(8)]
        assert {world.environments.of(each).version for each in late} == {1}


def test_printed_key_is_noticed() -> None:
    world = world_of(draw_options(1, "calm"), 1)
    judge = Judge(world=world, workload=Workload(world), kinds=(*INVARIANTS, NothingSecretLeaves))
    with world.installed():
        world.kernel.spawn(BROKEN, lambda: print(f"Authent: {SECRET}"))
    assert "was printed" in judge.found["S30"].text


def test_stored_key_is_noticed() -> None:
    world = world_of(draw_options(1, "calm"), 1)
    judge = Judge(world=world, workload=Workload(world), kinds=(NothingSecretLeaves,))
    with world.installed():
        world.control_truth.record_run("reconcile_positions", NOW, {"key": SECRET})
        judge.close()
    assert "was stored" in judge.found["S30"].text
