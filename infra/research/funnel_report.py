"""The report of a funnel: its tables with a title and a note each, as text, Markdown or JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas  # type: ignore[import-untyped]

from infra.research import funnel_calibration as calibration
from infra.research import funnel_tables as tables
from infra.research.funnel_records import CoinFunnel
from infra.research.funnel_run import FunnelOptions
from trading.rules import load_rules

WAYS = {"stop and targets": calibration.TARGETS, "every exit rule": calibration.MANAGED}
"""The two ways in which positions are followed, by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One table. `note`: what a reader must know to read it."""

    title: str
    note: str
    table: pandas.DataFrame

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Plain values, None for what is not known."""
        plain = self.table.astype(object).where(self.table.notna(), None)
        rows: list[dict[str, Any]] = json.loads(plain.to_json(orient="records"))
        return rows


def conditions(options: FunnelOptions) -> dict[str, Any]:
    """What every decision took as given, because it was not recorded or because it was asked for."""
    period = {name: each.isoformat() for name, each in (("from", options.first), ("to", options.end)) if each}
    return {
        "candles": str(options.candles),
        "years": list(options.years),
        "coins_a_year": options.coins,
        **period,
        "bootstrap": options.bootstrap,
        "spread_bps": float(options.spread_bps),
        "hourly_funding": float(options.hourly_funding),
        "maker_fee_bps": float(options.maker_fee_bps),
        "taker_fee_bps": float(options.taker_fee_bps),
        "rules": load_rules().fingerprint,
        "note": "No quotes of that time are recorded: spread, funding and fees are fixed and given, and so is the "
        "health of the candles. No number is tuned, and nothing here is a claim of profit.",
    }


def sections(funnels: Sequence[CoinFunnel]) -> list[Section]:
    """Every table of the report; without a single candidate only what was decided."""
    frame = tables.candidate_frame(funnels)
    decided = [
        Section(
            title="Replayed",
            note="One decision for every hour of the record. With fewer than 200 closed days the daily bias is "
            "neutral. Live, a new coin's 720 days are fetched from the exchange; `--bootstrap` does so from recorded "
            "daily candles where there are any.",
            table=tables.coverage(funnels),
        ),
        Section(title="Decisions by outcome", note="Shares are of all decisions.", table=tables.outcomes(funnels)),
    ]
    if frame.empty:
        return decided
    return [*decided, *_counted(funnels, frame), *_followed(frame)]


def _counted(funnels: Sequence[CoinFunnel], frame: pandas.DataFrame) -> list[Section]:
    return [
        Section(
            title="Gates",
            note="`named`: decisions whose outcome this gate named, the first that failed. A candidate below its "
            "threshold is named so before the gates that need levels are looked at.",
            table=tables.failed_gates(funnels, frame),
        ),
        Section(
            title="Setups and regimes",
            note="`passed`: every gate before the score. `structures`: distinct ones.",
            table=tables.setups(frame),
        ),
        Section(
            title="Score by part",
            note="The cost part follows from the given spread, funding and fees, so it hardly varies here.",
            table=tables.score_parts(frame),
        ),
        Section(title="Score in total", note="Bins of five points.", table=tables.score_totals(frame)),
        Section(
            title="Thresholds",
            note="An opposed side fails the bias gate; it is scored against the neutral threshold for the record.",
            table=tables.thresholds(frame),
        ),
        Section(
            title="Repeated structures",
            note="What came back, and what the cooldown and the reuse of structures refused. `repeated signals`: on "
            "a structure that had given one before.",
            table=tables.repetition(frame),
        ),
    ]


def _followed(frame: pandas.DataFrame) -> list[Section]:
    found = [
        Section(
            title="Fates of entries",
            note="`crossed`: the price was beyond the entry when it would have been sent, so a resting order is "
            "refused. `unknown`: the record ends first.",
            table=tables.fates(frame),
        ),
        Section(
            title="Endings of positions",
            note="Of every candidate that filled. `targets`: stop, targets, time exit and maximum hold; `managed`: "
            "every exit rule that is on.",
            table=calibration.endings(frame),
        ),
    ]
    groups = Section(
        title="Outcome by group",
        note="Means in R over the fills; low and high: 95 % interval of the net mean, a bootstrap over whole weeks. "
        "The last three columns are of the same ideas with every exit rule that is on.",
        table=calibration.by_group(frame),
    )
    by_setup = Section(
        title="Outcome by setup",
        note="The same, all years together. Stop and cost are medians of the candidates.",
        table=calibration.by_setup(frame),
    )
    found += [groups, by_setup]
    populations = calibration.populations(frame)
    found.append(_agreement(populations))
    for name, population in populations.items():
        if not population.empty:
            found += _calibrated(name, population)
    refused = Section(
        title="Crossed entries, had they been taken at their level",
        note="Not part of any table above.",
        table=calibration.crossed(frame),
    )
    return [*found, refused]


def _calibrated(name: str, population: pandas.DataFrame) -> list[Section]:
    found = []
    for exits, measure in WAYS.items():
        table = calibration.by_decile(population, measure)
        note = "Means in R over the fills; low and high: 95 % interval of the net mean, a bootstrap over whole weeks."
        found.append(Section(title=f"Score and outcome, {exits}: {name}", note=note, table=table))
    return found


def _agreement(populations: dict[str, pandas.DataFrame]) -> Section:
    found = [
        calibration.rank_agreement(population, measure).assign(group=name, exits=exits)
        for name, population in populations.items()
        for exits, measure in WAYS.items()
        if not population.empty
    ]
    table = pandas.concat(found)[["group", "exits", "year", "fills", "rank correlation", "low", "high"]]
    return Section(
        title="Rank correlation of score and net R",
        note="Spearman over the fills, with its 95 % interval; 0: the score says nothing about the outcome. Not "
        "given for fewer than 100 fills.",
        table=table,
    )


def as_json(options: FunnelOptions, found: Sequence[Section]) -> str:
    """The report for programs."""
    body = {
        "given": conditions(options),
        "tables": [{"title": each.title, "note": each.note, "rows": each.rows} for each in found],
    }
    return json.dumps(body, indent=1)


def as_text(options: FunnelOptions, found: Sequence[Section]) -> str:
    """The report for a terminal."""
    given = "\n".join(f"{name}: {value}" for name, value in conditions(options).items())
    parts = [f"{each.title}\n{each.note}\n\n{each.table.to_string(index=False, na_rep='')}" for each in found]
    return "\n\n\n".join((given, *parts)) + "\n"


def as_markdown(options: FunnelOptions, found: Sequence[Section]) -> str:
    """The report for a page."""
    given = "\n".join(f"- {name}: {value}" for name, value in conditions(options).items())
    parts = [f"### {each.title}\n\n{each.note}\n\n{_markdown_table(each.table)}" for each in found]
    return "\n\n".join((given, *parts)) + "\n"


def _markdown_table(table: pandas.DataFrame) -> str:
    lines = [list(table.columns), ["---"] * len(table.columns)]
    lines += [["" if pandas.isna(cell) else _cell(cell) for cell in row] for row in table.astype(object).to_numpy()]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def _cell(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
