"""The AWS emulator process: moto's own server application behind waitress, on loopback only.

`python -m infra.local.emulator [--port N]` prints one JSON line with its port when it accepts connections.
"""

from __future__ import annotations

import argparse
import json
import logging
from functools import cache
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from waitress import create_server

from infra.local.faster_moto import speed_up

# `faster_moto` needs requests one at a time; the runner makes no others.
THREADS = 1


class Dispatcher(DomainDispatcherApplication):
    """moto's dispatcher, which otherwise looks through its own folder anew for every request."""

    def __init__(self) -> None:
        super().__init__(create_backend_app)
        self._find = cache(super().get_backend_for_host)

    def get_backend_for_host(self, host: str | None) -> Any:
        return self._find(host)


def main() -> None:
    parser = argparse.ArgumentParser(description="DynamoDB, SQS, SNS and Secrets Manager by moto, on 127.0.0.1.")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    port = parser.parse_args().port
    speed_up()
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    server = create_server(Dispatcher(), host="127.0.0.1", port=port, threads=THREADS)
    print(json.dumps({"ready": True, "port": int(server.effective_port)}), flush=True)
    server.run()


if __name__ == "__main__":
    main()
