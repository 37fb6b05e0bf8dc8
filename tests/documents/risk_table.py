"""`python -m tests.documents.risk_table [out/demo/summary.json]`: writes docs/risk.md from limits, rules and scenarios.

Without the summary of a demo the counts that the page shows stay.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.architecture.sources import ROOT
from tests.documents.rule_keys import NO_LIMIT, keys_of, limit_of, value_of
from tests.fakes.records import RULES
from tests.integration.limits.scenario import Scenario
from tests.integration.limits.scenarios import SCENARIOS
from trading.errors import InvalidInput
from trading.model.risk import RefusalReason
from trading.model.units import plain
from trading.rule_inequalities import ARITHMETIC, PAIRS

PAGE = ROOT / "docs" / "risk.md"
TEMPLATE = Path(__file__).with_name("risk.template.md")
COLUMNS = ("limit", "compares", "rules, starting values", "unit tests", "on the local stack", "evaluated", "refused")
NEVER = "–"
BAR = "\\|"
ROW = re.compile(rf"^\| `(\w+)`.* \| ([\d,]+|{NEVER}) \| ([\d,]+|{NEVER}) \|$", re.MULTILINE)
MEASURED = re.compile(r"^- Evaluated and refused: (.*)$", re.MULTILINE)
NOT_MEASURED = "no demo has been counted yet."


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoCounts:
    """How often the last demo evaluated each limit and how often it refused, as shown; `measured` says which demo."""

    measured: str
    by_limit: Mapping[str, tuple[str, str]]

    def of(self, reason: RefusalReason) -> tuple[str, str]:
        return self.by_limit.get(reason.value, (NEVER, NEVER))


def counts_of_page(page: str) -> DemoCounts:
    """The counts that a page shows."""
    found = MEASURED.search(page)
    return DemoCounts(
        measured=found[1] if found else NOT_MEASURED,
        by_limit={name: (evaluated, refused) for name, evaluated, refused in ROW.findall(page)},
    )


def counts_of_demo(path: Path) -> DemoCounts:
    """The counts of a demo's `summary.json`. Raises InvalidInput for one that does not count the limits of today."""
    summary = json.loads(path.read_text(encoding="utf-8"))
    evaluated, refused = summary.get("limits_evaluated", {}), summary.get("limits_refused", {})
    if missing := [each.value for each in RefusalReason if not {each.value} <= evaluated.keys() & refused.keys()]:
        raise InvalidInput(
            f"{path} counts no {missing[0]}; expected every limit: run the demo again, or remove the file"
        )
    day = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    return DemoCounts(
        measured=f"`make demo SEED={summary['seed']} COINS={summary['coins']}` on {day:%Y-%m-%d} "
        f"({summary['source']} prices, {summary['from'][:10]} to {summary['to'][:10]}, {summary['signals']} signals).",
        by_limit={name: (f"{evaluated[name]:,}", f"{refused[name]:,}") for name in evaluated},
    )


def render(counts: DemoCounts) -> str:
    """The whole page."""
    backstops = [_backstop(reason, each) for reason, each in SCENARIOS.items() if each.backstop]
    return TEMPLATE.read_text(encoding="utf-8").format(
        risk=RULES.risk,
        measured=counts.measured,
        limits="\n".join([*_head(COLUMNS), *(_limit(reason, each, counts) for reason, each in SCENARIOS.items())]),
        no_limits="; ".join(f"`{key}` {why}" for key, why in NO_LIMIT.items()),
        backstops="\n".join(backstops),
        inequalities="\n".join([*_head(("rules", "today")), *_inequalities()]),
    )


def _limit(reason: RefusalReason, scenario: Scenario, counts: DemoCounts) -> str:
    name = f"`{reason}` (backstop)" if scenario.backstop else f"`{reason}`"
    keys = "<br>".join(f"`{key}` {shown(value_of(RULES, key))}" for key in keys_of(reason)) or "none"
    return _row((name, first_sentence(reason), keys, f"`[{reason}]`", scenario.says, *counts.of(reason)))


def first_sentence(reason: RefusalReason) -> str:
    """What the limit compares."""
    limit = limit_of(reason)
    found = " ".join((limit.__doc__ or CAP.format(allowed=ALLOWED[reason])).split())
    return found.partition(". ")[0].rstrip(".") + "."


CAP = "Base coins of the order, at least of the venue's smallest, against what {allowed} allows."
ALLOWED = {
    RefusalReason.MINIMUM_SIZE: "the risk budget",
    RefusalReason.TIER_NOTIONAL: "the tier's share of the equity",
    RefusalReason.TIER_NOTIONAL_USD: "the tier's sum in USD",
    RefusalReason.LEVERAGE: "the tier's leverage",
    RefusalReason.VENUE_MAXIMUM: "the venue's largest position, less our own in the contract,",
    RefusalReason.VOLUME_SHARE: "a share of the contract's last 24 hours",
    RefusalReason.SINGLE_MARGIN: "one position's share of the equity as margin",
    RefusalReason.AVAILABLE_MARGIN: "a share of the available margin, less that of entries in flight,",
}


def _backstop(reason: RefusalReason, scenario: Scenario) -> str:
    changes = ", ".join(
        f"`{part}.{key}` {value}" for part, keys in scenario.rules.items() for key, value in keys.items()
    )
    return f"- `{reason}` ({changes}): {scenario.backstop}"


def _inequalities() -> Iterator[str]:
    for left, relation, right in PAIRS:
        values = [shown(value_of(RULES, each)) for each in (left, right)]
        yield _row((f"`{left}` {relation} `{right}`", f" {relation} ".join(values)))
    for each in ARITHMETIC:
        sides = (side if isinstance(side, int) else side(RULES).normalize() for side in (each.left, each.right))
        values = [shown(side) for side in sides]
        yield _row((each.says, f" {each.relation} ".join(values)))


def shown(value: Any) -> str:
    """A rule's value for a reader."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return plain(value) if isinstance(value, Decimal) else str(value)


def _head(names: tuple[str, ...]) -> tuple[str, str]:
    return _row(names), _row("---" for _ in names)


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(each.replace('|', BAR) for each in cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.documents.risk_table", description=__doc__)
    parser.add_argument("summary", nargs="?", type=Path, help="summary.json of a demo, whose counts the page shows")
    summary = parser.parse_args().summary
    page = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    try:
        counts = counts_of_demo(summary) if summary else counts_of_page(page)
    except InvalidInput as error:
        sys.exit(str(error))
    PAGE.write_text(render(counts), encoding="utf-8")
    print(f"Written to {PAGE}")


if __name__ == "__main__":
    main()
