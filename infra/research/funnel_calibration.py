"""Does a higher score mean a better outcome? Deciles of the score against the R that followed.

Candidates of one hour move together over all coins, and one structure is a candidate for hours. So the interval of a
mean is a bootstrap over whole calendar weeks (all coins of a week are drawn together), and every table exists a second
time with each structure counted once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy
import pandas  # type: ignore[import-untyped]

from infra.research.funnel_outcomes import Ending, Fate
from infra.research.funnel_tables import TOGETHER, by_year, of_year
from trading.model.decisions import Outcome

WEEK = 7 * 86_400
DRAWS = 2_000
SEED = 1
DECILES = 10
CUT_FROM = 100
"""Fewer candidates are not cut into deciles: a tenth of them would say nothing."""
WEEKS_FROM = 5
"""An interval of fewer weeks would say nothing either."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """Which of the two ways of following a position is looked at: `gross`, `net` and `ending` are columns."""

    gross: str
    net: str
    ending: str


TARGETS = Measure(gross="gross", net="net", ending="ending")
"""Stop, two targets, time exit and maximum hold."""
MANAGED = Measure(gross="managed_gross", net="managed_net", ending="managed_ending")
"""Every exit rule that is on: the premise exit and break-even after the first target too."""


def populations(frame: pandas.DataFrame) -> dict[str, pandas.DataFrame]:
    """The sets of candidates with levels that are calibrated, by name."""
    levelled = frame[frame["fate"] != ""]
    signals = levelled[levelled["outcome"] == Outcome.SIGNAL.value]
    passed = levelled[levelled["passed"]]
    return {
        "every candidate": levelled,
        "every candidate, structure once": levelled[levelled["once"]],
        "passed the gates before the score": passed,
        "passed the gates, structure once": _once(passed),
        "signals": signals,
        "signals, structure once": _once(signals),
    }


def by_decile(population: pandas.DataFrame, measure: Measure = TARGETS) -> pandas.DataFrame:
    """One row a year and decile of the score, the lowest first, and one for all of them.

    Deciles are of the scores of that year. Equal scores are never parted: they stand together in the decile of their
    middle, so deciles are uneven and some may be empty. Fewer than CUT_FROM candidates are not cut at all.
    """
    rows = []
    for scope in by_year(sorted(set(population["year"]))):
        chosen = of_year(population, scope)
        parts = [(TOGETHER, chosen)]
        if len(chosen) >= CUT_FROM:
            deciles = numpy.ceil(chosen["score"].rank(pct=True) * DECILES).astype(int)
            parts += [(str(number), each) for number, each in chosen.groupby(deciles)]
        rows += [{"year": scope, "decile": name, **summary(each, measure)} for name, each in parts]
    return pandas.DataFrame(rows)


def summary(chosen: pandas.DataFrame, measure: Measure = TARGETS) -> dict[str, object]:
    """Figures of one set of candidates. Means are over fills whose end was recorded; a win is a net R above 0."""
    ended = filled(chosen, measure)
    row: dict[str, object] = {
        "score": f"{int(chosen['score'].min())}-{int(chosen['score'].max())}" if len(chosen) else "",
        "count": len(chosen),
        "fills": len(ended),
        "fill %": _rounded(100 * len(ended) / len(chosen), 1) if len(chosen) else math.nan,
    }
    if not len(ended):
        return {**row, **dict.fromkeys(("gross R", "net R", "net low", "net high", "win %"), math.nan)}
    low, high = interval(ended, measure.net)
    return {
        **row,
        "gross R": _rounded(float(ended[measure.gross].mean())),
        "net R": _rounded(float(ended[measure.net].mean())),
        "net low": _rounded(low),
        "net high": _rounded(high),
        "win %": _rounded(100 * float((ended[measure.net] > 0).mean()), 1),
    }


def filled(chosen: pandas.DataFrame, measure: Measure = TARGETS) -> pandas.DataFrame:
    """Entries that filled while resting, and whose end the record holds."""
    return chosen[(chosen["fate"] == Fate.FILLED.value) & (chosen[measure.ending] != Ending.UNKNOWN.value)]


def interval(ended: pandas.DataFrame, column: str) -> tuple[float, float]:
    """95 % bootstrap interval of a mean, drawn in whole calendar weeks: the same figures in every run. NaN for
    fewer than WEEKS_FROM weeks."""
    weeks = ended[column].groupby(ended["at"] // WEEK)
    sums, counts = weeks.sum().to_numpy(), weeks.size().to_numpy()
    if len(sums) < WEEKS_FROM:
        return math.nan, math.nan
    generator = numpy.random.default_rng(SEED)
    drawn = generator.multinomial(len(sums), numpy.full(len(sums), 1 / len(sums)), size=DRAWS)
    means = (drawn @ sums) / (drawn @ counts)
    low, high = numpy.quantile(means, (0.025, 0.975))
    return float(low), float(high)


def rank_agreement(population: pandas.DataFrame, measure: Measure = TARGETS) -> pandas.DataFrame:
    """Rank correlation (Spearman) of score and net R by year, with an interval over whole weeks. 0: the score says
    nothing about the outcome."""
    rows = []
    for scope in by_year(sorted(set(population["year"]))):
        ended = filled(of_year(population, scope), measure)
        if len(ended) < CUT_FROM or min(ended["score"].nunique(), ended[measure.net].nunique()) < 2:
            rows.append(
                {"year": scope, "fills": len(ended), "rank correlation": math.nan, "low": math.nan, "high": math.nan}
            )
            continue
        # Of ranks the plain correlation is a ratio of sums, so that weeks can be drawn as above.
        score, value = (ended[name].rank().to_numpy() for name in ("score", measure.net))
        score, value = (score - score.mean()) / score.std(), (value - value.mean()) / value.std()
        products = pandas.DataFrame({"at": ended["at"].to_numpy(), "product": score * value})
        low, high = interval(products, "product")
        rows.append(
            {
                "year": scope,
                "fills": len(ended),
                "rank correlation": _rounded(float((score * value).mean())),
                "low": _rounded(low),
                "high": _rounded(high),
            }
        )
    return pandas.DataFrame(rows)


def by_group(frame: pandas.DataFrame) -> pandas.DataFrame:
    """One row a population and year: all its candidates together, and their net R under every exit rule."""
    rows = []
    for name, population in populations(frame).items():
        for scope in by_year(sorted(set(population["year"]))):
            chosen = of_year(population, scope)
            managed = summary(chosen, MANAGED)
            more = {f"{column}, every rule": managed[column] for column in ("net R", "net low", "net high")}
            if len(chosen):
                rows.append({"group": name, "year": scope, **summary(chosen), **more})
    return pandas.DataFrame(rows)


def by_setup(frame: pandas.DataFrame) -> pandas.DataFrame:
    """One row a setup, of every candidate with levels and of signals, with the median stop and cost."""
    rows = []
    for name, population in populations(frame).items():
        if "once" in name:
            continue
        for setup, chosen in population.groupby("setup", sort=True):
            size = {
                "median stop bps": _rounded(float(chosen["stop_bps"].median()), 0),
                "median cost R": _rounded(float(chosen["cost_r"].median())),
            }
            rows.append({"group": name, "setup": setup, **summary(chosen), **size})
    return pandas.DataFrame(rows)


def endings(frame: pandas.DataFrame) -> pandas.DataFrame:
    """What closed the positions, in both ways of following them, with the mean net R of each ending."""
    rows = []
    for way, measure in (("targets", TARGETS), ("managed", MANAGED)):
        ended = filled(frame, measure)
        for name, chosen in ended.groupby(measure.ending, sort=True):
            share = 100 * len(chosen) / len(ended)
            mean = float(chosen[measure.net].mean())
            rows.append(
                {"exits": way, "ending": name, "fills": len(chosen), "%": _rounded(share, 1), "net R": _rounded(mean)}
            )
    return pandas.DataFrame(rows)


def crossed(frame: pandas.DataFrame) -> pandas.DataFrame:
    """Entries the venue would have refused because the price was beyond them: what taking them would have given."""
    rows = []
    for name, chosen in populations(frame).items():
        beyond = chosen[chosen["fate"] == Fate.CROSSED.value].assign(fate=Fate.FILLED.value)
        rows.append({"group": name, "year": "all", **summary(beyond)})
    return pandas.DataFrame(rows)


def _once(chosen: pandas.DataFrame) -> pandas.DataFrame:
    """The first of these candidates of every structure."""
    return chosen[~chosen["idea"].duplicated()]


def _rounded(value: float, digits: int = 3) -> float:
    return round(value, digits) + 0.0
