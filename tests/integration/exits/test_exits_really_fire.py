"""Every exit rule acts on the local stack on recorded candles, and does not in the same kind of world without its
cause."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.storage.decisions import StageRecord
from tests.integration.exits.replay import COIN, Window, missing, play
from tests.integration.exits.scenarios import BACKSTOPS, EXIT_SCENARIOS
from tests.integration.limits import quiet_market
from tests.integration.limits.local_stack import LocalStack, opened
from tests.integration.limits.wire import Wire
from trading.exits.registry import REGISTRY
from trading.model.decisions import Outcome

NAMES = [name for name, _ in REGISTRY]
needs_recordings = pytest.mark.skipif(bool(missing()), reason=f"needs recorded candles: {', '.join(missing())}")
FIRES = [pytest.param(rule, pair[0], id=rule) for rule, pair in EXIT_SCENARIOS.items()]
MUST_NOT = [pytest.param(rule, pair[1], id=rule) for rule, pair in EXIT_SCENARIOS.items()]


@pytest.fixture(autouse=True)
def four_days(monkeypatch: pytest.MonkeyPatch) -> None:
    """A position that is held for 72 hours was opened some seconds after the start."""
    monkeypatch.setattr(quiet_market, "AFTER", timedelta(days=4))


def stages(stack: LocalStack, rule: str) -> list[StageRecord]:
    """What the trace behind the position says of this rule."""
    (idea,) = stack.ideas
    return [each for each in stack.cloud.decisions.stages(idea.decision_bar) if each.rule == rule]


def settle(stack: LocalStack) -> None:
    """The end of a position is believed after two looks."""
    for _ in range(2):
        stack.wait(seconds=20)
        stack.reconcile()


def test_every_registered_rule_has_its_pair() -> None:
    assert set(EXIT_SCENARIOS) == set(NAMES)
    assert set(BACKSTOPS) <= set(NAMES)


@needs_recordings
@pytest.mark.parametrize(("rule", "window"), FIRES)
def test_rule_fires_in_its_window(
    rule: str, window: Window, wire: Wire, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(wire, url, monkeypatch, BACKSTOPS[rule].rules if rule in BACKSTOPS else {}) as stack:
        played = play(stack, window)
        assert played.fired[rule] > 0, played
        found = stages(stack, rule)
        assert found, "the trace says nothing"
        assert {name for name, _ in found[0].details} == set(played.evaluated)
        assert rule in found[0].sentence
        if found[0].outcome is Outcome.EXIT:
            settle(stack)
            assert stack.cloud.ledger.position(COIN) is None
            assert not stack.venue.engine.books.positions


@needs_recordings
@pytest.mark.parametrize(("rule", "window"), MUST_NOT)
def test_rule_does_not_fire_in_the_other(
    rule: str, window: Window, wire: Wire, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(wire, url, monkeypatch, BACKSTOPS[rule].rules if rule in BACKSTOPS else {}) as stack:
        played = play(stack, window)
        assert played.evaluated[rule] > played.without_input[rule], "it never had its input"
        assert played.fired[rule] == 0
        assert stages(stack, rule) == []
