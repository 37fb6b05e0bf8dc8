"""`traces`, `explain` and `chart` against a deployed stack: its own tables, and the rules it was deployed with."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest

from infra.cli.chart import chart_of
from infra.cli.decided import DecidedPlace, deployed_place
from infra.cli.deployed import ONCE, deployed_rules_override, invoke_deployed
from infra.cli.explain import explanation
from infra.cli.replay import replay
from shared.storage.market_data import MarketDataStore
from tests.fakes.cloud import emulated
from tests.fakes.http_service import QuietHandler, serving
from tests.unit.strategy.markets import DECISION_BAR, INSTRUMENT, hours, snapshot
from trading.errors import InvalidInput
from trading.model.decisions import Outcome
from trading.model.instruments import Universe
from trading.model.snapshots import Snapshot
from trading.model.times import Timeframe, to_text
from trading.reporting.charts import candle_chart
from trading.rules import load_rules
from trading.strategy.decide import decide

STACK = "deployed"
OVERRIDE = json.dumps({"gates": {"adx_minimum": 90}})
SEEN = snapshot(hours(33, 60))
TABLE: dict[str, Any] = {
    "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
    "BillingMode": "PAY_PER_REQUEST",
}
AT = to_text(DECISION_BAR)
DESCRIBED = """<DescribeStacksResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><DescribeStacksResult>
<Stacks><member><StackName>deployed</StackName><CreationTime>2024-01-01T00:00:00Z</CreationTime>
<StackStatus>CREATE_COMPLETE</StackStatus><Parameters><member><ParameterKey>RulesOverride</ParameterKey>
<ParameterValue>{"gates": {"adx": false}}</ParameterValue></member></Parameters></member></Stacks>
</DescribeStacksResult></DescribeStacksResponse>"""

UNKNOWN = """<ErrorResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><Error><Type>Sender</Type>
<Code>ValidationError</Code><Message>Stack with id absent does not exist</Message></Error></ErrorResponse>"""


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[DecidedPlace]:
    """A stack whose one coin was decided under an override of its rules."""
    with emulated(monkeypatch):
        for name in ("decisions", "market-data"):
            boto3.client("dynamodb").create_table(TableName=f"{STACK}-{name}", **TABLE)
        place = deployed_place(STACK, load_rules(OVERRIDE), DECISION_BAR + timedelta(minutes=5))
        place.market.save_universe(Universe(instruments=(INSTRUMENT,)), DECISION_BAR, None)
        store(place.market, SEEN)
        place.decisions.add([decide(SEEN, place.rules)])
        yield place


def store(market: MarketDataStore, seen: Snapshot) -> None:
    series = {(INSTRUMENT.id, timeframe): bars for timeframe, bars in zip(Timeframe, seen.series, strict=True)}
    market.add_history(series, DECISION_BAR)


def test_rules_of_the_stack_replay_its_decision(place: DecidedPlace) -> None:
    found = explanation(replay(place.decision("test", ""), place))
    assert (found["decision"]["outcome"], found["decision"]["failed_gate"]) == (Outcome.GATE_FAILED, "adx")
    assert found["replay"]["sentence"] == "replayed identically"
    assert found["replay"]["note"].startswith("it was decided by code test, replayed by the code here, ")


def test_maintenance_trace_cannot_be_replayed(place: DecidedPlace) -> None:
    bar = DECISION_BAR - timedelta(hours=1)
    plain = replace(decide(SEEN, load_rules()), outcome=Outcome.NO_DATA, signal=None, inputs=None)
    place.decisions.add([replace(plain, decision_bar=bar)])
    sentence = replay(place.decision("TEST", to_text(bar)), place).sentence
    assert sentence == "cannot be replayed: nothing was looked at, the trace was written by maintenance"


def test_coin_that_left_cannot_be_replayed(place: DecidedPlace) -> None:
    place.market.save_universe(Universe(instruments=()), DECISION_BAR, place.market.universe())
    sentence = replay(place.decision("TEST", AT), place).sentence
    assert sentence == "cannot be replayed: TEST is no longer in the stored universe"


def test_candles_pushed_out_by_later_bars_are_named(place: DecidedPlace) -> None:
    moved = type(SEEN.m15.times)("q", (time + 600 * 900 for time in SEEN.m15.times))
    later = type(SEEN.m15).from_columns(Timeframe.M15, (moved, *SEEN.m15.columns[1:]))
    place.market.add_history({(INSTRUMENT.id, Timeframe.M15): later}, DECISION_BAR + timedelta(days=30))
    assert replay(place.decision("TEST", AT), place).sentence == (
        "cannot be replayed: the store no longer holds its candles (120 of 600 bars of 15m are left; "
        "it keeps the newest 720, 7.5 days)"
    )


def test_chart_is_drawn_from_stored_candles(place: DecidedPlace) -> None:
    picture, remarks = chart_of(place.decision("TEST", AT), place)
    text = candle_chart(picture)
    assert "bar closed 2024-06-03 12:00 UTC: GATE_FAILED" in text
    assert "(this idea)" in text
    assert (len(picture.candles), picture.candles.closed_at, remarks) == (168, DECISION_BAR, [])


def test_chart_says_what_is_no_longer_as_then(place: DecidedPlace) -> None:
    other = replace(place, rules=load_rules())
    _, remarks = chart_of(place.decision("TEST", AT), other)
    assert len(remarks) == 1
    assert remarks[0].startswith("It was replayed to another decision (changed: outcome, ")


@contextmanager
def formation(status: int) -> Iterator[str]:
    """A CloudFormation on loopback that knows one stack, or none."""

    class Answer(QuietHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.end_headers()
            self.wfile.write((DESCRIBED if status == 200 else UNKNOWN).encode())

    with serving(Answer) as url:
        yield url


def aws_at(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    values = {"AWS_ENDPOINT_URL": url, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    for name, value in {**values, "AWS_DEFAULT_REGION": "us-east-1", "AWS_MAX_ATTEMPTS": "1"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)


def test_override_is_read_from_the_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    with formation(200) as url:
        aws_at(url, monkeypatch)
        assert deployed_rules_override(STACK) == '{"gates": {"adx": false}}'


def test_absent_stack_is_one_plain_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    with formation(400) as url:
        aws_at(url, monkeypatch)
        with pytest.raises(InvalidInput, match=r"stack absent cannot be reached: .* does not exist"):
            deployed_rules_override("absent")


# the operator's function


OUTPUTS = DESCRIBED.replace(
    "<Parameters>",
    "<Outputs><member><OutputKey>ControlTradingFunctionName</OutputKey><OutputValue>control</OutputValue></member>"
    "</Outputs><Parameters>",
)


@contextmanager
def lambda_that_hangs_up(asked: list[str]) -> Iterator[str]:
    """It has worked, and its answer is lost on the way."""

    class Answer(QuietHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path.startswith("/2015-03-31/functions/"):
                asked.append(body.decode())
                self.close_connection = True
                return
            self.send_response(200)
            self.end_headers()
            self.wfile.write(OUTPUTS.encode())

    with serving(Answer) as url:
        yield url


def test_lost_answer_is_not_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second confirmation would be refused, though the first one was carried out."""
    asked: list[str] = []
    with lambda_that_hangs_up(asked) as url:
        aws_at(url, monkeypatch)
        monkeypatch.delenv("AWS_MAX_ATTEMPTS")
        with pytest.raises(InvalidInput, match="stack deployed cannot be reached: "):
            invoke_deployed(STACK, {"action": "flatten", "token": "1"})
    assert asked == ['{"action": "flatten", "token": "1"}']


def test_answer_is_waited_for_longer_than_the_function_runs() -> None:
    template = Path("template.yaml").read_text(encoding="utf-8")
    function = template.partition("\n  ControlTradingFunction:")[2]
    longest = int(function.partition("      Timeout: ")[2].partition("\n")[0])
    assert boto3.client("lambda", "us-east-1", config=ONCE).meta.config.read_timeout > longest
