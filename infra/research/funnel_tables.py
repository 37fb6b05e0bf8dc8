"""Counts of a funnel as tables: outcomes, gates, setups, scores, thresholds, repeated structures, fates of entries.

Each function takes the funnels or the frame of their candidates (`candidate_frame`) and gives one pandas table whose
first columns are names and whose others are figures. Shares are percent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import pandas  # type: ignore[import-untyped]

from infra.research.funnel_outcomes import Fate
from infra.research.funnel_records import PARTS, CoinFunnel, as_records
from trading.model.decisions import Outcome
from trading.model.signals import Setup

TOGETHER = "all"
BEFORE_SCORE = frozenset({"universe_health", "bias", "adx", "fibonacci", "spread", "cooldown", "structure_reuse"})
"""Gates that are asked before the score is compared; the others need levels and are asked after it."""


def candidate_frame(funnels: Sequence[CoinFunnel]) -> pandas.DataFrame:
    """One row a candidate, oldest first within its coin and year.

    Adds `cost_r` (round trip in R), `passed` (every gate before the score), `idea` (coin, year and structure as one
    text), `once` (the first candidate with levels of its structure), `net` and `managed_net` (R after cost).
    """
    frame = pandas.DataFrame(as_records(funnels))
    if frame.empty:
        return frame
    frame["cost_r"] = (frame["cost_bps"] / frame["stop_bps"]).where(frame["stop_bps"] > 0)
    frame["net"] = frame["gross"] - frame["cost_r"]
    frame["managed_net"] = frame["managed_gross"] - frame["cost_r"]
    frame["passed"] = [not BEFORE_SCORE & set(failed.split("|")) for failed in frame["failed_gates"]]
    frame["idea"] = frame["coin"] + " " + frame["year"].astype(str) + " " + frame["structure"]
    levelled = frame["fate"] != ""
    frame["once"] = levelled & ~frame["idea"].where(levelled).duplicated()
    return frame


def by_year(years: Sequence[int]) -> list[str]:
    return [*(str(year) for year in years), TOGETHER]


def of_year(frame: pandas.DataFrame, scope: str) -> pandas.DataFrame:
    return frame if scope == TOGETHER else frame[frame["year"] == int(scope)]


def coverage(funnels: Sequence[CoinFunnel]) -> pandas.DataFrame:
    """What was replayed: coins, decisions, days, and how many decisions had a daily bias."""
    rows = []
    for scope in by_year(sorted({each.year for each in funnels})):
        chosen = [each for each in funnels if scope in (TOGETHER, str(each.year))]
        decisions = sum(each.decisions for each in chosen)
        with_bias = sum(each.with_daily_bias for each in chosen)
        rows.append(
            {
                "year": scope,
                "coins": len({each.coin for each in chosen}),
                "first bar": _day(min(each.first for each in chosen)),
                "last bar": _day(max(each.last for each in chosen)),
                "decisions": decisions,
                "candidates": sum(len(each.rows) for each in chosen),
                "signals": sum(each.outcomes.get(Outcome.SIGNAL.value, 0) for each in chosen),
                "with 200 days %": _share(with_bias, decisions),
            }
        )
    return pandas.DataFrame(rows)


def outcomes(funnels: Sequence[CoinFunnel]) -> pandas.DataFrame:
    """Decisions by outcome; those without a setup are cut by ADX into consolidation and directional."""
    counted = _per_year(funnels, lambda each: {k: v for k, v in each.outcomes.items() if k != Outcome.NO_SETUP.value})
    unset = _per_year(funnels, lambda each: {f"NO_SETUP, {name}": count for name, count in each.unset.items()})
    names = [each.value for each in Outcome]
    found = {**unset, **counted}
    ordered = sorted(found, key=lambda name: names.index(name.partition(",")[0]))
    return _counted("outcome", {name: found[name] for name in ordered}, funnels)


def failed_gates(funnels: Sequence[CoinFunnel], frame: pandas.DataFrame) -> pandas.DataFrame:
    """By gate: candidates it was asked of, failed, that it named the outcome of, and that nothing else stopped."""
    years = sorted({each.year for each in funnels})
    asked, failed = Counter[str](), Counter[str]()
    for each in funnels:
        asked.update({name: counts[0] for name, counts in each.gates.items()})
        failed.update({name: counts[1] for name, counts in each.gates.items()})
    rows = []
    for name in asked:
        rows.append(
            {
                "gate": name,
                "asked": asked[name],
                "failed": failed[name],
                "failed %": _share(failed[name], asked[name]),
                "only this failed": int((frame["failed_gates"] == name).sum()),
                **{f"named {y}": int((of_year(frame, y)["failed_gate"] == name).sum()) for y in by_year(years)},
            }
        )
    return pandas.DataFrame(rows)


def setups(frame: pandas.DataFrame) -> pandas.DataFrame:
    """By regime, setup and side: candidates, those that pass the gates before the score, and signals."""
    regime = frame["setup"].map(lambda name: Setup(name).regime.value)
    grouped = frame.assign(regime=regime).groupby(["year", "regime", "setup", "side"], sort=True)
    table = grouped.agg(
        candidates=("score", "size"),
        passed=("passed", "sum"),
        signals=("outcome", lambda column: int((column == Outcome.SIGNAL.value).sum())),
        structures=("idea", "nunique"),
    )
    return table.reset_index().astype({"year": str})


def score_parts(frame: pandas.DataFrame) -> pandas.DataFrame:
    """By part and points: candidates, their share by year, and those that pass the gates before the score."""
    rows = []
    years = by_year(sorted(set(frame["year"])))[:-1]
    of_all = {year: len(of_year(frame, year)) for year in years}
    for name in PARTS:
        for points, chosen in frame.groupby(f"part_{name}", sort=True):
            rows.append(
                {
                    "part": name,
                    "points": int(points),
                    "candidates": len(chosen),
                    "%": _share(len(chosen), len(frame)),
                    **{f"{year} %": _share(len(of_year(chosen, year)), of_all[year]) for year in years},
                    "passed gates": int(chosen["passed"].sum()),
                    "% of passed": _share(int(chosen["passed"].sum()), int(frame["passed"].sum())),
                }
            )
    return pandas.DataFrame(rows)


def score_totals(frame: pandas.DataFrame, width: int = 5) -> pandas.DataFrame:
    """Candidates by total score in bins of `width`, and those that pass the gates before the score."""
    bins = frame["score"] // width * width
    rows = [
        {
            "score": f"{start}-{start + width - 1}",
            "candidates": len(chosen),
            **{f"of {scope}": len(of_year(chosen, scope)) for scope in by_year(sorted(set(frame["year"])))[:-1]},
            "passed gates": int(chosen["passed"].sum()),
            "signals": int((chosen["outcome"] == Outcome.SIGNAL.value).sum()),
        }
        for start, chosen in frame.groupby(bins, sort=True)
    ]
    return pandas.DataFrame(rows)


def thresholds(frame: pandas.DataFrame) -> pandas.DataFrame:
    """By setup and standing: the threshold, how often it is reached, alone and by what passes the gates before it.

    `best parts together`: the most points that each part gave to any candidate of the group, added up.
    """
    rows = []
    parts = [f"part_{name}" for name in PARTS]
    years = by_year(sorted(set(frame["year"])))[:-1]
    for (setup, alignment), chosen in frame.groupby(["setup", "alignment"], sort=True):
        reached, passed = chosen["score"] >= chosen["threshold"], chosen["passed"]
        rows.append(
            {
                "setup": setup,
                "alignment": alignment,
                "threshold": int(chosen["threshold"].iloc[0]),
                "candidates": len(chosen),
                "reached": int(reached.sum()),
                "reached %": _share(int(reached.sum()), len(chosen)),
                **{f"reached {year}": int((reached & (chosen["year"] == int(year))).sum()) for year in years},
                "passed gates": int(passed.sum()),
                "passed and reached": int((passed & reached).sum()),
                "signals": int((chosen["outcome"] == Outcome.SIGNAL.value).sum()),
                "highest score": int(chosen["score"].max()),
                "best parts together": int(chosen[parts].max().sum()),
            }
        )
    return pandas.DataFrame(rows)


def repetition(frame: pandas.DataFrame) -> pandas.DataFrame:
    """How often one structure comes back, and what the two gates against it refused."""
    rows = []
    for scope in by_year(sorted(set(frame["year"]))):
        chosen = of_year(frame, scope)
        signals = chosen[chosen["outcome"] == Outcome.SIGNAL.value]
        per_structure = signals.groupby("idea").size()
        rows.append(
            {
                "year": scope,
                "candidates": len(chosen),
                "structures": chosen["idea"].nunique(),
                "candidates a structure": round(len(chosen) / max(chosen["idea"].nunique(), 1), 2),
                "refused: cooldown": int((chosen["outcome"] == Outcome.COOLDOWN.value).sum()),
                "refused: reuse": int((chosen["outcome"] == Outcome.DUPLICATE_STRUCTURE.value).sum()),
                "signals": len(signals),
                "structures of signals": len(per_structure),
                "with several signals": int((per_structure > 1).sum()),
                "most signals of one": int(per_structure.max()) if len(per_structure) else 0,
                "repeated signals %": _share(len(signals) - len(per_structure), len(signals)),
            }
        )
    return pandas.DataFrame(rows)


def fates(frame: pandas.DataFrame) -> pandas.DataFrame:
    """What became of the entries of candidates with levels, and of those that passed the gates and gave signals."""
    levelled = frame[frame["fate"] != ""]
    signal = levelled["outcome"] == Outcome.SIGNAL.value
    groups = {"every candidate": levelled, "structure once": levelled[levelled["once"]], "signals": levelled[signal]}
    rows = []
    for name, group in groups.items():
        for scope in by_year(sorted(set(group["year"]))):
            chosen = of_year(group, scope)
            counts = chosen["fate"].value_counts()
            row: dict[str, object] = {"group": name, "year": scope, "with levels": len(chosen)}
            row |= {f"{fate.value} %": _share(int(counts.get(fate.value, 0)), len(chosen)) for fate in Fate}
            rows.append(row)
    return pandas.DataFrame(rows)


def _per_year(
    funnels: Sequence[CoinFunnel], counts: Callable[[CoinFunnel], dict[str, int]]
) -> dict[str, dict[str, int]]:
    """Count by name, then by scope."""
    found: dict[str, dict[str, int]] = {}
    for each in funnels:
        for name, count in counts(each).items():
            scopes = found.setdefault(name, {})
            for scope in (str(each.year), TOGETHER):
                scopes[scope] = scopes.get(scope, 0) + count
    return found


def _counted(title: str, found: dict[str, dict[str, int]], funnels: Sequence[CoinFunnel]) -> pandas.DataFrame:
    scopes = by_year(sorted({each.year for each in funnels}))
    totals = {scope: sum(counts.get(scope, 0) for counts in found.values()) for scope in scopes}
    rows = []
    for name, counts in found.items():
        row: dict[str, object] = {title: name}
        for scope in scopes:
            row |= {scope: counts.get(scope, 0), f"{scope} %": _share(counts.get(scope, 0), totals[scope])}
        rows.append(row)
    return pandas.DataFrame(rows)


def _share(part: int, whole: int) -> float:
    """Percent, two decimals; 0 of nothing."""
    return round(100 * part / whole, 2) if whole else 0.0


def _day(moment: int) -> str:
    return str(pandas.Timestamp(moment, unit="s").strftime("%Y-%m-%d %H:%M"))
