"""The funnel counts every decision once, and every gate that said no."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from infra.cli.funnel import count_funnel
from shared.storage.decisions import StageRecord
from tests.unit.strategy.markets import DECISION_BAR, hours, snapshot
from trading.model.decisions import Decision, Outcome
from trading.model.instruments import InstrumentId
from trading.rules import load_rules
from trading.strategy.decide import decide

RULES = load_rules()


def decisions() -> list[Decision]:
    made = [decide(snapshot(hours(seed)), RULES) for seed in range(30)]
    return [replace(each, instrument=InstrumentId(f"C{number % 5}")) for number, each in enumerate(made)]


def test_every_decision_is_counted_once_by_outcome() -> None:
    made = decisions()
    funnel = count_funnel(made, [])
    assert sum(funnel.outcomes.values()) == funnel.decisions == 30
    assert [outcome for (outcome,) in funnel.outcomes] == [o for o in Outcome if o in {d.outcome for d in made}]
    assert (funnel.coins, funnel.bars) == (5, 1)


def test_failed_gates_add_up_to_their_outcome() -> None:
    made = decisions()
    funnel = count_funnel(made, [])
    assert sum(funnel.gates.values()) == funnel.outcomes["GATE_FAILED",] > 0
    noes = sum(not gate.passed for each in made for gate in each.gates)
    assert sum(funnel.every_gate.values()) == noes > sum(funnel.gates.values())


def test_setups_carry_their_regime_and_outcome() -> None:
    made = decisions()
    funnel = count_funnel(made, [])
    assert sum(funnel.setups.values()) == sum(each.setup is not None for each in made)
    assert all(regime == ("tight_smc" if setup in ("order_block", "fair_value_gap") else "wide_structure")
               for setup, regime, _ in funnel.setups)  # fmt: skip


def test_period_and_stages_are_told_to_programs() -> None:
    made = decisions()
    later = replace(made[0], decision_bar=DECISION_BAR + timedelta(hours=2))
    stage = StageRecord(
        instrument=later.instrument,
        decision_bar=later.decision_bar,
        outcome=Outcome.RISK_REFUSED,
        sentence="too much",
        at=later.decision_bar,
    )
    document = count_funnel([*made, later], [stage]).document()
    assert (document["from"], document["to"]) == ("2024-06-03T12:00:00.000Z", "2024-06-03T14:00:00.000Z")
    assert (document["bars"], document["by_stage"]) == (2, {"RISK_REFUSED": 1})
    assert {row["setup"] for row in document["by_setup"]} >= {"trend", "break_of_structure"}
