"""Which address an alert goes to: by severity where wanted, and never nowhere for a critical one."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.secrets import Webhooks
from trading.model.alerts import Severity

NAMES = [f"{service}{end}" for service in ("slack", "discord") for end in ("", "_critical", "_warning", "_info")]
settings_of_people = st.fixed_dictionaries(
    {name: st.sampled_from(["", f"https://{name}.example/1"]) for name in NAMES} | {"info": st.booleans()}
)


@given(settings_of_people)
def test_no_combination_of_settings_mutes_critical(given: dict[str, Any]) -> None:
    addresses = Webhooks(**given)
    for service in ("slack", "discord"):
        has_any = any(given[name] for name in NAMES if name.startswith(service))
        assert addresses.uses(service) == has_any
        assert bool(addresses.address(service, Severity.CRITICAL)) == has_any


@given(settings_of_people)
def test_own_address_of_a_severity_wins(given: dict[str, Any]) -> None:
    addresses = Webhooks(**given)
    for service, severity in product(("slack", "discord"), (Severity.WARNING, Severity.INFO)):
        expected = given[f"{service}_{severity}"] or given[service]
        off = severity is Severity.INFO and not given["info"]
        assert addresses.address(service, severity) == ("" if off else expected)


@pytest.mark.parametrize("severity", list(Severity))
def test_on_call_address_takes_only_what_is_critical(severity: Severity) -> None:
    addresses = Webhooks(slack="https://a/1", discord="", slack_critical="https://b/1")
    assert addresses.address("slack", severity) == f"https://{'b' if severity is Severity.CRITICAL else 'a'}/1"
    assert addresses.address("discord", severity) == ""
