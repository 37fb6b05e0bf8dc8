"""The map of the deployed system says what the architecture page and the code say."""

from __future__ import annotations

import json
import re

import pytest

from shared import settings
from tests.integration.aws.template_reader import TOP, environment, events, functions, read_template, resources, setting

SCHEDULES = {
    "discover_markets": "rate(4 hours)",
    "ingest_candles": "rate(1 minute)",
    "score_setups": "rate(1 minute)",
    "execute_signals": "rate(1 minute)",
    "manage_exits": "rate(1 minute)",
    "reconcile_positions": "rate(1 minute)",
    "maintain_records": "rate(1 hour)",
    "check_health": "rate(1 minute)",
}
FUNCTIONS = {*SCHEDULES, "control_trading", "forward_alerts", "render_dashboard"}
LONGEST_SECONDS = {
    "execute_signals": 20,
    "manage_exits": 20,
    "reconcile_positions": 20,
    "check_health": 20,
    "control_trading": 60,
}


def event_files() -> set[str]:
    return {path.stem for path in (TOP / "tests/events").glob("*.json")}


def settings_of(function: str) -> set[str]:
    """The SMC_ variables of every settings type that the function's files name."""
    text = "".join(path.read_text() for path in (TOP / "functions" / function).glob("*.py"))
    named = set(re.findall(r"\b\w*Settings\b", text))
    return {
        f"SMC_{field.upper()}" for kind in settings_types() if kind.__name__ in named for field in kind.model_fields
    }


def settings_types() -> list[type[settings.Settings]]:
    return [kind for kind in vars(settings).values() if isinstance(kind, type) and issubclass(kind, settings.Settings)]


def test_every_function_folder_has_a_resource() -> None:
    folders = {path.parent.name for path in (TOP / "functions").glob("*/handler.py")}
    assert folders == set(functions()) == FUNCTIONS


@pytest.mark.parametrize("function", sorted(FUNCTIONS))
def test_handler_is_named_by_its_folder(function: str) -> None:
    body = functions()[function]
    assert body["Handler"] == f"functions.{function}.handler.handler"
    assert body["FunctionName"] == {"Fn::Sub": "${AWS::StackName}-" + function}
    assert body["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"] == function


def test_every_function_has_an_event_file() -> None:
    assert event_files() >= FUNCTIONS


def test_every_event_file_belongs_to_one_function() -> None:
    for name in event_files():
        assert any(name == function or name.startswith(f"{function}_") for function in FUNCTIONS), name
        json.loads((TOP / "tests/events" / f"{name}.json").read_text())


def test_schedules_equal_the_architecture_table() -> None:
    found = {name: body["ScheduleExpression"] for name, body in events("ScheduleV2")}
    assert found == SCHEDULES


def test_every_schedule_hands_over_its_own_time() -> None:
    for name, body in events("ScheduleV2"):
        assert json.loads(body["Input"]) == {"scheduled_time": "<aws.scheduler.scheduled-time>"}, name


def test_a_late_scheduled_run_is_not_repeated() -> None:
    for name, body in events("ScheduleV2"):
        assert body["RetryPolicy"] == {"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 60}, name


@pytest.mark.parametrize(("function", "seconds"), sorted(LONGEST_SECONDS.items()))
def test_guard_functions_end_within_their_time(function: str, seconds: int) -> None:
    assert setting(function, "Timeout") <= seconds


def test_queues_wait_six_times_their_readers_timeout() -> None:
    queues = resources("AWS::SQS::Queue")
    for function, body in events("SQS"):
        queue = queues[body["Queue"]["Fn::GetAtt"][0]]
        assert queue["VisibilityTimeout"] >= 6 * setting(function, "Timeout"), function
        assert body["FunctionResponseTypes"] == ["ReportBatchItemFailures"], function


@pytest.mark.parametrize("function", sorted(FUNCTIONS))
def test_each_function_gets_exactly_the_variables_it_reads(function: str) -> None:
    given = {name for name in environment(function) if name.startswith("SMC_")}
    assert given == settings_of(function)


def test_template_and_settings_name_the_same_variables() -> None:
    given = {name for function in FUNCTIONS for name in environment(function) if name.startswith("SMC_")}
    assert given == {f"SMC_{field.upper()}" for kind in settings_types() for field in kind.model_fields}


def test_live_mode_needs_the_exact_confirmation() -> None:
    rule = read_template()["Rules"]["LiveIsConfirmed"]
    assert rule["RuleCondition"] == {"Fn::Equals": [{"Ref": "Mode"}, "live"]}
    assert rule["Assertions"][0]["Assert"] == {"Fn::Equals": [{"Ref": "ConfirmLive"}, "I-UNDERSTAND"]}
    assert read_template()["Parameters"]["Mode"]["Default"] == "paper"


def test_deployment_page_names_every_parameter() -> None:
    page = (TOP / "docs/deploy.md").read_text()
    assert [name for name in read_template()["Parameters"] if f"`{name}`" not in page] == []
