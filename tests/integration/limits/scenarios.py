"""The scenario of each limit, in the order in which the gate evaluates them."""

from __future__ import annotations

from tests.integration.limits import account_scenarios, count_scenarios, market_scenarios, size_scenarios
from tests.integration.limits.scenario import Scenario
from trading.model.risk import RefusalReason

_FOUND = market_scenarios.SCENARIOS | account_scenarios.SCENARIOS | count_scenarios.SCENARIOS | size_scenarios.SCENARIOS
SCENARIOS: dict[RefusalReason, Scenario] = {each: _FOUND[each] for each in RefusalReason if each in _FOUND}
