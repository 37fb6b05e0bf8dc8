"""How far a run has come, kept in `progress.json` after every step so that the next runner goes on from there."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from infra.local.invoker import Tally
from infra.local.rule_tally import RuleTally
from infra.local.stack import write_whole
from trading.model.times import from_text, to_text


@dataclass(kw_only=True)
class Progress:
    """`slots`: the schedule slot fired last, by function. Minutes count slots of the one-minute schedules.
    `equity_points`: the account's equity in USD as reconcile_positions saw it, once an hour.

    `wall_seconds` and `cpu_seconds` are those of earlier runners of the same run.
    """

    start: datetime
    equity_start: Decimal
    slots: dict[str, datetime] = field(default_factory=dict)
    equity_points: list[tuple[datetime, Decimal]] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)
    minutes_fired: int = 0
    minutes_skipped: int = 0
    wall_seconds: float = 0.0
    cpu_seconds: float = 0.0

    def save(self, path: Path) -> None:
        write_whole(path, self._document())

    def _document(self) -> dict[str, Any]:
        return {
            "start": to_text(self.start),
            "equity_start": str(self.equity_start),
            "equity_points": [[to_text(at), str(equity)] for at, equity in self.equity_points],
            "slots": {name: to_text(each) for name, each in self.slots.items()},
            "runs": self.tally.runs,
            "errors": self.tally.errors,
            "minutes_fired": self.minutes_fired,
            "minutes_skipped": self.minutes_skipped,
            "alerts": self.tally.alerts,
            "rules_evaluated": self.tally.rules.evaluated,
            "rules_fired": self.tally.rules.fired,
            "limits_evaluated": self.tally.rules.limits_evaluated,
            "limits_refused": self.tally.rules.limits_refused,
            "exits_evaluated": self.tally.rules.exits_evaluated,
            "exits_without_input": self.tally.rules.exits_without_input,
            "exits_fired": self.tally.rules.exits_fired,
            "wall_seconds": self.wall_seconds,
            "cpu_seconds": self.cpu_seconds,
        }

    @classmethod
    def load(cls, path: Path) -> Progress:
        document = json.loads(path.read_text(encoding="utf-8"))
        rules = RuleTally(
            evaluated=Counter(document.pop("rules_evaluated")),
            fired=Counter(document.pop("rules_fired")),
            limits_evaluated=Counter(document.pop("limits_evaluated")),
            limits_refused=Counter(document.pop("limits_refused")),
            exits_evaluated=Counter(document.pop("exits_evaluated")),
            exits_without_input=Counter(document.pop("exits_without_input")),
            exits_fired=Counter(document.pop("exits_fired")),
        )
        tally = Tally(
            runs=document.pop("runs"),
            errors=document.pop("errors"),
            alerts=document.pop("alerts"),
            rules=rules,
        )
        slots = {name: from_text(each) for name, each in document.pop("slots").items()}
        document["equity_points"] = [(from_text(at), Decimal(each)) for at, each in document["equity_points"]]
        start, equity = from_text(document.pop("start")), Decimal(document.pop("equity_start"))
        return cls(start=start, equity_start=equity, slots=slots, tally=tally, **document)
