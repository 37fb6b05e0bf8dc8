"""DynamoDB in a process of its own on loopback, for as long as a `with` block lasts."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from infra.local.processes import ready_line, spawn, stop
from infra.local.provision import ACCESS_KEY, SECRET_KEY, client
from infra.local.template import REGION
from shared.storage.tables import MarketDataItem
from tests.bench.candle_item import CandleItem


@contextmanager
def emulated_tables() -> Iterator[Any]:
    """A boto3 client of the emulator. This process and its children reach it through the environment until the end."""
    before = dict(os.environ)
    with tempfile.TemporaryDirectory() as folder:
        process = spawn("infra.local.emulator", [], Path(folder) / "emulator")
        try:
            endpoint = f"http://127.0.0.1:{ready_line(process)['port']}"
            os.environ.update(
                AWS_ENDPOINT_URL=endpoint,
                AWS_ACCESS_KEY_ID=ACCESS_KEY,
                AWS_SECRET_ACCESS_KEY=SECRET_KEY,
                AWS_DEFAULT_REGION=REGION,
            )
            _forget_connections()
            yield client("dynamodb", endpoint)
        finally:
            stop(process)
            os.environ.clear()
            os.environ.update(before)
            _forget_connections()


def _forget_connections() -> None:
    """A model keeps the client of the endpoint it saw first."""
    MarketDataItem._connection = CandleItem._connection = None


def create_table(tables: Any, name: str) -> str:
    tables.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("pk", "sk")],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
    )
    return name
