"""What maintenance makes of CloudFormation's word about its own stack."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from functions.maintain_records.deployment import PHASES, deployed, deployment_alert, parse_event
from functions.maintain_records.handler import handler
from functions.maintain_records.maintain import maintain, tell
from functions.maintain_records.report import MaintenanceReport
from infra.local.deployments import CREATED, stack_event, statuses_of
from infra.local.template import Names, read_template
from shared.clock import install_clock
from shared.storage.codec import from_json
from tests.integration.aws.template_reader import TOP, events
from tests.integration.operations.conftest import CONTEXT, StoppedClock, World
from tests.integration.operations.records_scene import records_of
from tests.unit.control.records import NOW, decision
from trading.errors import InvalidInput
from trading.model.alerts import Alert, AlertKind, Severity

FILE = json.loads(Path(TOP, "tests/events/maintain_records_deployed.json").read_text())
MINUTE = timedelta(minutes=1)


def event(status: str, at: datetime = NOW, reason: str = "") -> dict[str, Any]:
    made = json.loads(json.dumps(FILE)) | {"id": f"{status} {at}", "time": f"{at:%Y-%m-%dT%H:%M:%SZ}"}
    made["detail"]["status-details"] = {"status": status, "status-reason": reason}
    return dict(made)


def run(world: World, status: str | None, now: datetime, version: str) -> MaintenanceReport:
    records = records_of(world, now, code_version=version)
    report = maintain(records, now, parse_event(event(status, now)) if status else None)
    world.control.record_run("maintain_records", now, tell(records, report, world.alerts))
    return report


def told(report: MaintenanceReport) -> list[Alert]:
    return [each for each in report.alerts() if each.kind is AlertKind.DEPLOYMENT]


def test_deployment_is_told_with_both_versions(world: World) -> None:
    run(world, None, NOW, "v1")
    (started,) = told(run(world, "UPDATE_IN_PROGRESS", NOW + MINUTE, "v1"))
    # The hour's own run comes in between, and runs the new code already.
    assert told(run(world, None, NOW + 2 * MINUTE, "v2")) == []
    (finished,) = told(run(world, "UPDATE_COMPLETE", NOW + 3 * MINUTE, "v2"))
    assert (started.severity, started.title) == (Severity.INFO, "Deployment of smc-trader started")
    assert (finished.severity, dict(finished.fields)["version"]) == (Severity.INFO, "v1 -> v2")
    assert finished.title == "Deployment of smc-trader finished"


def test_missed_start_still_names_the_version_before(world: World) -> None:
    run(world, None, NOW, "v1")
    (finished,) = told(run(world, "UPDATE_COMPLETE", NOW + MINUTE, "v2"))
    assert dict(finished.fields)["version"] == "v1 -> v2"


def test_first_deployment_comes_from_no_version(world: World) -> None:
    (created,) = told(run(world, "CREATE_COMPLETE", NOW, "v1"))
    assert dict(created.fields)["version"] == "none -> v1"


def test_deployment_restores_coverage_at_once(world: World) -> None:
    run(world, None, NOW, "v1")
    world.decisions.add([decision("BTC", NOW)])
    report = run(world, "UPDATE_COMPLETE", NOW + 31 * MINUTE, "v2")
    assert len(world.decisions.decided(NOW)) == report.coverage.universe == 3
    assert "3 coins; 3 of 3 due traces are there, 2 of them written now." in told(report)[0].text


def test_rollback_is_a_warning_with_its_reason(world: World) -> None:
    run(world, "UPDATE_IN_PROGRESS", NOW, "v1")
    at = NOW + MINUTE
    (began,) = told(maintain(records_of(world, at), at, parse_event(event("UPDATE_ROLLBACK_IN_PROGRESS", at, "no"))))
    (ended,) = told(run(world, "UPDATE_ROLLBACK_COMPLETE", NOW + 2 * MINUTE, "v1"))
    (failed,) = told(run(world, "UPDATE_ROLLBACK_FAILED", NOW + 3 * MINUTE, "v1"))
    assert [each.severity for each in (began, ended, failed)] == [Severity.WARNING, Severity.WARNING, Severity.CRITICAL]
    assert began.text.endswith("Reason: no.")
    assert ended.text.startswith("The deployment was taken back; version v1 runs.")


def test_event_told_again_or_late_is_no_news(world: World) -> None:
    run(world, "UPDATE_IN_PROGRESS", NOW, "v1")
    assert told(run(world, "UPDATE_IN_PROGRESS", NOW, "v1")) == []
    run(world, "UPDATE_COMPLETE", NOW + 2 * MINUTE, "v2")
    late = parse_event(event("UPDATE_IN_PROGRESS", NOW + MINUTE))
    assert told(maintain(records_of(world, NOW + 3 * MINUTE), NOW + 3 * MINUTE, late)) == []


@pytest.mark.parametrize("status", sorted(PHASES))
def test_every_status_is_told_in_words(status: str) -> None:
    found = parse_event(event(status))
    assert found is not None
    known = deployed(found, None, "v1", "v2")
    assert known is not None
    assert "v2" in deployment_alert(found, known, "Work.", NOW).text


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"source": "aws.ec2"}, "event is of 'aws.ec2'"),
        ({"detail-type": None}, "expected 'aws.cloudformation'"),
        ({"detail": None}, "no detail.status-details.status"),
        ({"detail": {"stack-id": "s", "status-details": {"status": 4}}}, "no detail.status-details.status"),
        ({"detail": {"stack-id": "s", "status-details": {"status": "GONE"}}}, "has the status 'GONE'"),
        ({"detail": {"status-details": {"status": "UPDATE_COMPLETE"}}}, "has stack-id 'None'"),
        ({"id": ""}, "has id ''"),
        ({"time": "noon"}, "has the time 'noon'"),
        ({"time": "2026-11-22T12:00:00"}, "expected one such as"),
    ],
)
def test_malformed_event_is_refused_in_one_sentence(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_event(FILE | changes)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("given", [{}, {"scheduled_time": "2026-11-22T12:00:00Z"}, {"scheduled_time": 4}, None, [1]])
def test_anything_else_is_a_schedule(given: Any) -> None:
    assert parse_event(given) is None


def test_handler_runs_on_the_event_file(world: World) -> None:
    install_clock(StoppedClock(NOW))
    answer = handler(FILE, CONTEXT)  # type: ignore[arg-type]
    assert answer["deployment"]["phase"] == "finished"
    (message,) = world.published()
    alert = from_json(Alert, json.loads(message["Body"])["Message"])
    assert (alert.kind, alert.title) == (AlertKind.DEPLOYMENT, "Deployment of smc-trader finished")


def test_rule_of_the_template_lets_through_what_is_understood() -> None:
    ((function, rule),) = events("EventBridgeRule")
    assert (function, rule["Pattern"]["detail"]["stack-id"]) == ("maintain_records", [{"Ref": "AWS::StackId"}])
    assert set(rule["Pattern"]["detail"]["status-details"]["status"]) == set(PHASES)
    assert rule["DeadLetterConfig"]["Arn"] == {"Fn::GetAtt": ["ScheduleDeadLetterQueue", "Arn"]}


def test_local_stack_plays_a_deployment_at_its_start() -> None:
    names = Names(stack="local", endpoint="http://127.0.0.1:1")
    function = read_template(names, {}).function("maintain_records")
    assert set(function.deployments) == set(PHASES)
    found = parse_event(stack_event("local", CREATED, NOW, "123456789012", "eu-west-1"))
    assert found is not None
    assert (found.at, found.status, found.stack.split("/")[1]) == (NOW, CREATED, "local")


@pytest.mark.parametrize("pattern", [{}, {"source": ["aws.ec2"]}, None, {"detail": {"status-details": 4}}])
def test_rule_about_something_else_is_refused(pattern: Any) -> None:
    with pytest.raises(InvalidInput, match="is a rule about something else"):
        statuses_of(pattern, "Some.Rule")
