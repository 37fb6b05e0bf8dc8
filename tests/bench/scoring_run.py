"""The measured process of the scoring subject: `python -m tests.bench.scoring_run BAR` runs the handler once."""

from __future__ import annotations

import json
import sys
import time
from datetime import datetime, timedelta

from infra.local.invoker import Context
from shared.clock import install_clock
from tests.bench.memory import peak_mib
from trading.model.times import from_epoch


class Standing:
    """Twenty seconds after the decision bar."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at


def main(bar: str) -> None:
    install_clock(Standing(from_epoch(int(bar)) + timedelta(seconds=20)))
    from functions.score_setups.handler import handler

    context = Context(
        function_name="score_setups", memory_limit_in_mb=1024, aws_request_id="bench", deadline=time.monotonic() + 60
    )
    proof = handler({"scheduled_time": "bench"}, context)  # type: ignore[arg-type]
    found = {
        "cpu_seconds": time.process_time(),
        "peak_mib": peak_mib(),
        "traces": proof["traces"],
        "outcomes": proof["outcomes"],
    }
    print()
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1])
