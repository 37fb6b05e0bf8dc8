"""Traces go to the X-Ray daemon when a run is sampled, and the SDK is not even loaded when it is not."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys

import pytest

from shared.settings import tracing_is_on

ROOT = "1-67891233-abcdef012345678912345678"
HEADER = f"Root={ROOT};Parent=53995c3f42cd8ad8;Sampled="
PROGRAM = """
import sys
from types import SimpleNamespace
from shared.observability import observed

@observed("traced_work")
def handler(event, telemetry):
    if event.get("fail"):
        raise RuntimeError("the work failed")
    return {"done": 1}

context = SimpleNamespace(function_name="f", memory_limit_in_mb=1, invoked_function_arn="a", aws_request_id="r")
assert "aws_xray_sdk" not in sys.modules
try:
    handler({"fail": len(sys.argv) > 1}, context)
except RuntimeError as error:
    print(error)
print("loaded:", "aws_xray_sdk" in sys.modules)
"""


def run(daemon: socket.socket, header: str, *arguments: str, **more: str) -> str:
    quiet = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "POWERTOOLS_"))}
    lambda_sets = {
        "AWS_XRAY_DAEMON_ADDRESS": f"127.0.0.1:{daemon.getsockname()[1]}",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "LAMBDA_TASK_ROOT": "/var/task",
        "_X_AMZN_TRACE_ID": header,
    }
    command = [sys.executable, "-c", PROGRAM, *arguments]
    environment = {**quiet, **lambda_sets, **more}
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True)
    return answer.stdout


@pytest.fixture
def daemon() -> socket.socket:
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 0))
    server.settimeout(0.2)
    return server


def received(daemon: socket.socket) -> list[dict[str, object]]:
    with daemon:
        found = []
        while True:
            try:
                found.append(json.loads(daemon.recv(65536).partition(b"\n")[2]))
            except TimeoutError:
                return found


def test_sampled_run_sends_its_segment(daemon: socket.socket) -> None:
    told = run(daemon, f"{HEADER}1")
    assert "loaded: True" in told
    assert '"Heartbeat":[1.0]' in told
    (segment,) = received(daemon)
    assert (segment["name"], segment["trace_id"]) == ("## handler", ROOT)


def test_failure_of_a_sampled_run_is_traced_and_counted(daemon: socket.socket) -> None:
    told = run(daemon, f"{HEADER}1", "fail")
    assert "the work failed" in told
    assert '"HandlerErrors":[1.0]' in told
    (segment,) = received(daemon)
    assert segment["fault"] is True


@pytest.mark.parametrize("header", [f"{HEADER}0", "", f"Root={ROOT}"])
def test_run_without_sampling_loads_no_tracer(daemon: socket.socket, header: str) -> None:
    told = run(daemon, header)
    assert "loaded: False" in told
    assert '"Heartbeat":[1.0]' in told
    assert received(daemon) == []


def test_switch_of_powertools_wins_over_sampling(daemon: socket.socket) -> None:
    assert "loaded: False" in run(daemon, f"{HEADER}1", POWERTOOLS_TRACE_DISABLED="1")
    assert received(daemon) == []


def test_tracing_is_read_from_the_header_alone() -> None:
    daemon_only = {"AWS_XRAY_DAEMON_ADDRESS": "169.254.79.129:2000"}
    assert not tracing_is_on(daemon_only)
    assert tracing_is_on({**daemon_only, "_X_AMZN_TRACE_ID": f"Root={ROOT}; Sampled=1; Lineage=1:a:0"})
