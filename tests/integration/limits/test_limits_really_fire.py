"""Every limit refuses a real signal on the local stack, and the same world without the cause sends the entry."""

from __future__ import annotations

import pytest

from shared.storage.decisions import StageRecord
from shared.storage.ledger import SignalState
from tests.integration.limits.local_stack import LocalStack, opened
from tests.integration.limits.scenario import Scenario
from tests.integration.limits.scenarios import SCENARIOS
from tests.integration.limits.wire import Wire
from trading.model.decisions import Outcome
from trading.model.risk import RefusalReason
from trading.model.signals import Signal

EACH = pytest.mark.parametrize(("reason", "scenario"), SCENARIOS.items(), ids=[each.value for each in SCENARIOS])


def stage_of(stack: LocalStack, signal: Signal, outcome: Outcome) -> StageRecord:
    stages = stack.cloud.decisions.stages(signal.decision_bar)
    (found,) = [each for each in stages if (each.instrument, each.outcome) == (signal.instrument, outcome)]
    return found


def recorded_limits(stack: LocalStack, verdict: str) -> set[str]:
    """Limits with this verdict in the proof that the run has left in the Ledger."""
    run = stack.cloud.control.last_run("execute_signals")
    assert run is not None
    pairs = (each.partition(":") for each in run.proof["limits"])
    return {name for name, _, said in pairs if said == verdict}


BACKSTOPS = {reason: scenario for reason, scenario in SCENARIOS.items() if scenario.backstop}


def test_every_limit_has_a_scenario() -> None:
    assert set(SCENARIOS) == set(RefusalReason)
    assert all(each.says for each in SCENARIOS.values())


def test_only_backstops_run_with_other_rules() -> None:
    assert {reason for reason, scenario in SCENARIOS.items() if scenario.rules} == set(BACKSTOPS)


@EACH
def test_limit_refuses_in_its_scenario(
    reason: RefusalReason, scenario: Scenario, wire: Wire, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(wire, url, monkeypatch, scenario.rules) as stack:
        signal = scenario.play(stack, True)
        before = len(wire.sent)
        response = stack.execute()
        assert recorded_limits(stack, "refused") == {reason, *scenario.also}
        assert response["outcomes"][f"{Outcome.RISK_REFUSED}:{reason}"] == 1
        assert stack.state_of(signal) is SignalState.REFUSED
        assert stack.sent_since(before, signal.instrument) == []
        stage = stage_of(stack, signal, Outcome.RISK_REFUSED)
        assert stage.sentence.startswith(f"{signal.instrument} was refused: {reason} is ")
        assert " against " in dict(stage.details)[reason]


@EACH
def test_entry_is_sent_without_its_cause(
    reason: RefusalReason, scenario: Scenario, wire: Wire, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(wire, url, monkeypatch, scenario.rules) as stack:
        signal = scenario.play(stack, False)
        before = len(wire.sent)
        stack.execute()
        assert recorded_limits(stack, "refused") == set()
        assert reason in recorded_limits(stack, "passed")
        assert stack.state_of(signal) is SignalState.TAKEN
        entry = stack.entry_of(signal)
        sent = stack.sent_since(before, signal.instrument)
        assert [each["cliOrdId"] for each in sent if each["reduceOnly"] == "false"] == [entry.client_order_id]
        assert stage_of(stack, signal, Outcome.SENT).sentence.startswith(f"{signal.instrument} {signal.side} was ")


@pytest.mark.parametrize(("reason", "scenario"), BACKSTOPS.items(), ids=[each.value for each in BACKSTOPS])
def test_starting_values_leave_a_backstop_nothing_to_do(
    reason: RefusalReason, scenario: Scenario, wire: Wire, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With them the same world is refused by another limit before, or let through."""
    with opened(wire, url, monkeypatch, {}) as stack:
        scenario.play(stack, True)
        assert f"{Outcome.RISK_REFUSED}:{reason}" not in stack.execute()["outcomes"]
        assert reason in recorded_limits(stack, "passed") | recorded_limits(stack, "refused")
