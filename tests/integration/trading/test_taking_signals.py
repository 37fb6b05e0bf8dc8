"""One cycle of signals: what is read again, what is told, and what holds entries up while it lasts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from functions.execute_signals.execute import execute_signals
from shared.storage.ledger import SignalState
from shared.storage.tables import LedgerItem
from tests.fakes.cloud import Cloud
from tests.fakes.records import BAR, NOW, RULES, coin, risk_day, rules_with
from tests.integration.trading.interleaving import Meanwhile
from tests.integration.trading.world import SpotOfVenue, World, new_world
from trading.errors import VenueUnavailable
from trading.model.book import PlannedEntry
from trading.model.disorder import DisorderPause, MarketWatch
from trading.model.instruments import InstrumentId, Side, Universe
from trading.model.orders import IntentState, Purpose
from trading.model.units import Money
from trading.model.venue import SpotQuote
from trading.rules import Rules

UNDISTURBED = rules_with('{"risk": {"disorder": false}}')


def states(world: World) -> dict[str, SignalState]:
    found = world.cloud.ledger.signals_decided_since(BAR, world.venue.now())
    return {each.signal.instrument: each.state for each in found}


def test_planned_entries_are_remembered_in_the_book(world: World) -> None:
    world.add_signal()
    world.execute()
    (entry,) = world.cloud.ledger.book(NOW).entries
    assert entry == PlannedEntry(instrument=InstrumentId("COIN"), side=Side.LONG, at=NOW)


@pytest.mark.parametrize(("word", "counted"), [("insufficientAvailableFunds", 1), ("postWouldExecute", 0)])
def test_refused_entries_are_counted_in_a_row(world: World, word: str, counted: int) -> None:
    world.cloud.control.save_risk_day(risk_day())
    world.add_signal()
    world.venue.faults.sends = ["", word]
    world.execute()
    day = world.cloud.control.risk_day()
    assert day is not None
    assert day.rejections == counted


def test_accepted_entry_ends_the_row_of_refusals(world: World) -> None:
    world.cloud.control.save_risk_day(risk_day(rejections=4))
    world.add_signal()
    world.execute()
    day = world.cloud.control.risk_day()
    assert day is not None
    assert day.rejections == 0


@pytest.mark.parametrize(("rules", "ended"), [(RULES, True), (UNDISTURBED, False)])
def test_market_disorder_takes_resting_entries_off(cloud: Cloud, rules: Rules, ended: bool) -> None:
    world = new_world(cloud, rules=rules)
    world.add_signal()
    world.execute()
    assert world.intent(Purpose.ENTRY).state is IntentState.LIVE
    later = world.venue.now() + timedelta(minutes=30)
    pause = DisorderPause(contract="PF_COINUSD", until=later, why="test")
    cloud.watch.save(replace(cloud.watch.read() or MarketWatch(), pauses=(pause,)))
    world.minutes(3)
    assert (cloud.ledger.open_positions() == ()) is ended


def test_no_entry_while_the_market_cannot_be_looked_at(world: World) -> None:
    world.add_signal()
    world.venue.faults.reads = {"quotes"}
    report = world.execute()
    assert [each.split(":")[0] for each in report.failures] == ["market watch"]
    assert states(world) == {"COIN": SignalState.NEW}
    world.venue.faults.reads = set()
    world.execute()
    assert states(world) == {"COIN": SignalState.TAKEN}


def test_trace_says_which_rank_a_signal_had(cloud: Cloud) -> None:
    world = new_world(
        cloud, ["A", "B"], rules_with('{"risk": {"maximum_positions": 1, "maximum_positions_per_cluster": 1}}')
    )
    world.add_signal("A", score=70)
    world.add_signal("B", score=90)
    world.execute()
    told = {each.instrument: each.sentence for each in cloud.decisions.stages(BAR)}
    assert told["B"].endswith("Number 1 of 2 by score.")
    assert told["A"].startswith("A was refused: positions is 2 against 1")
    assert told["A"].endswith("Number 2 of 2 by score.")


def test_aged_prices_are_read_again_before_the_next_entry(cloud: Cloud) -> None:
    world = new_world(cloud, ["A", "B"])
    world.add_signal("A", score=90)
    world.add_signal("B", score=80)
    slow = Meanwhile(world.venue, "place", lambda: world.venue.advance(11, B=104), after=True)
    desk = world.desk(slow)
    report = execute_signals(desk)
    assert states(world) == {"A": SignalState.TAKEN, "B": SignalState.REFUSED}
    assert report.limits["entry_collar:refused"] == 1


def test_fresh_prices_are_not_read_twice(cloud: Cloud) -> None:
    world = new_world(cloud, ["A", "B"])
    world.add_signal("A", score=90)
    world.add_signal("B", score=80)
    quick = Meanwhile(world.venue, "place", lambda: world.venue.advance(10, B=104), after=True)
    execute_signals(world.desk(quick))
    assert states(world) == {"A": SignalState.TAKEN, "B": SignalState.TAKEN}


def test_implausible_equity_is_read_once_more(world: World) -> None:
    world.cloud.control.save_risk_day(risk_day(last_equity=Money(10_000)))
    world.add_signal()
    odd = Meanwhile(world.venue, "account", lambda: _balance(world, 50_000))
    honest = Meanwhile(odd, "account", lambda: _balance(world, 10_000), after=True)  # type: ignore[arg-type]
    execute_signals(world.desk(honest))
    assert states(world) == {"COIN": SignalState.TAKEN}


def test_equity_that_stays_implausible_takes_no_entry(world: World) -> None:
    world.cloud.control.save_risk_day(risk_day(last_equity=Money(10_000)))
    world.add_signal()
    _balance(world, 50_000)
    report = world.execute()
    assert report.limits["equity_jump:refused"] == 1
    assert states(world) == {"COIN": SignalState.REFUSED}


def _balance(world: World, money: int) -> None:
    world.venue.engine.books.balance = Money(money)


class OnePairUnknown(SpotOfVenue):
    """A spot exchange that refuses any request in which this pair is named."""

    def quotes(self, pairs: Sequence[str]) -> dict[str, SpotQuote]:
        if "AUSD" in pairs:
            raise VenueUnavailable("unknown asset pair")
        return super().quotes(pairs)


def test_unknown_spot_pair_hides_only_itself(cloud: Cloud) -> None:
    world = new_world(cloud, ["A", "B"])
    world.add_signal("A")
    world.add_signal("B")
    report = execute_signals(replace(world.desk(), spot=OnePairUnknown(world.venue)))
    # The contract's own index price stands in where the spot side says nothing.
    assert report.failures == []
    assert states(world) == {"A": SignalState.TAKEN, "B": SignalState.TAKEN}


def test_coin_that_left_the_universe_is_refused(cloud: Cloud) -> None:
    world = new_world(cloud, ["COIN", "OTHER"])
    world.add_signal("GONE")
    world.add_signal("OTHER")
    report = world.execute()
    assert states(world) == {"GONE": SignalState.REFUSED, "OTHER": SignalState.TAKEN}
    assert report.outcomes["NOT_ALLOCATED"] == 1


def test_old_facts_about_contracts_take_no_entry(cloud: Cloud) -> None:
    world = new_world(cloud)
    stored = cloud.market.universe()
    assert stored is not None
    cloud.market.save_universe(Universe(instruments=(coin(),)), NOW - timedelta(hours=25), stored)
    world.add_signal()
    assert world.execute().limits["contract_age:refused"] == 1


def test_planned_entry_is_given_up_in_an_unknown_market(world: World) -> None:
    world.add_signal()
    reads = world.venue.faults.reads
    silent = Meanwhile(world.venue, "place", lambda: reads.add("open_orders"), after=True)
    assert len(execute_signals(world.desk(silent)).failures) == 1
    reads.clear()
    reads.add("quotes")
    world.execute()
    assert world.entries_placed() == 0
    assert world.intent(Purpose.ENTRY).state is IntentState.ABANDONED


def test_halt_between_look_and_plan_stops_the_plan(world: World) -> None:
    world.cloud.control.save_risk_day(risk_day())
    world.add_signal()

    def halt() -> None:
        day = world.cloud.control.risk_day()
        assert day is not None
        world.cloud.control.save_risk_day(replace(day, halted_on=NOW.date()))

    report = execute_signals(world.desk(Meanwhile(world.venue, "account", halt, after=True)))
    assert len(report.failures) == 1
    assert world.venue.placed == []
    assert states(world) == {"COIN": SignalState.NEW}


def test_loss_that_only_execution_saw_is_kept(world: World) -> None:
    world.cloud.control.save_risk_day(risk_day())
    world.add_signal()
    _balance(world, 9_400)
    assert world.execute().limits["daily_loss:refused"] == 1
    _balance(world, 10_000)
    world.add_signal(structure_id="other")
    assert world.execute().limits["daily_loss:refused"] == 1
    day = world.cloud.control.risk_day()
    assert day is not None
    assert day.halted


def test_fifth_refusal_in_a_cycle_stops_the_sixth(cloud: Cloud) -> None:
    names = ["A", "B", "C", "D", "E", "F"]
    world = new_world(cloud, names, rules_with('{"risk": {"maximum_positions_per_cluster": 6}}'))
    cloud.control.save_risk_day(risk_day())
    for number, name in enumerate(names):
        world.add_signal(name, score=90 - number)
    world.venue.faults.sends = ["", "insufficientAvailableFunds"] * 5
    report = world.execute()
    assert report.outcomes == {"FAILED": 5, "RISK_REFUSED:kill_level": 1}
    assert states(world)["F"] is SignalState.REFUSED


def test_unreadable_book_is_made_again_from_the_records(cloud: Cloud) -> None:
    world = new_world(cloud, ["COIN", "OTHER"])
    world.add_signal()
    world.execute()
    before = cloud.ledger.book(NOW)
    item = LedgerItem.get("BOOK", "CURRENT")
    item.update([LedgerItem.body.set("{broken")])
    assert cloud.ledger.book(NOW) == before
    world.add_signal("OTHER")
    world.execute()
    assert [each.instrument for each in cloud.ledger.book(NOW).entries] == ["COIN", "OTHER"]


def test_signal_that_ended_in_an_outage_gets_its_outcome(world: World) -> None:
    world.add_signal()
    world.venue.advance(7 * 3600 + 300)
    world.execute()
    assert signal_states(world) == [SignalState.NEW]
    world.venue.advance(3600 - world.venue.now().minute * 60 - world.venue.now().second)
    world.execute()
    assert signal_states(world) == [SignalState.EXPIRED]


def signal_states(world: World) -> list[SignalState]:
    return [each.state for each in world.cloud.ledger.signals_decided_since(BAR, world.venue.now())]
