"""Ingests one close of a whole exchange under bad conditions, with real parts, and says whether it came in time.

`python -m tests.integration.market_data.whole_exchange per_pair|per_ip|both [COINS] [CALLS_PER_SECOND] [MINUTE_S]`

The sandbox and an AWS emulator are processes; every invocation of a handler has a process of its own. Virtual time is
the close plus the seconds since. With MINUTE_S below 60 the schedule and the rules' times shrink alike: a rehearsal.
Exit code 1 and a sentence for every expectation that was not met.
"""

from __future__ import annotations

import json
import math
import signal
import sys
import urllib.request
from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from functions.ingest_candles.fetch import WORKERS
from infra.local.sandbox.spot_conditions import SpotConditions
from tests.integration.market_data.exchange_play import play, prepare
from tests.integration.market_data.exchange_scene import START, Plan, Played, Scene
from tests.integration.market_data.exchange_stack import DISCOVER, VenueTime, running
from trading.model.candles import Candle
from trading.model.instruments import InstrumentId
from trading.model.times import Timeframe, to_text

QUIET_CLOSES = 4
"""Ingested before the tested one: with three bars of the hour stored, its last close ends a 1h bar that is derived."""
REFUSED_MAX_SHARE = 0.02
HANGING = {"per_pair": InstrumentId("LINK"), "per_ip": InstrumentId("UNI")}


def disturbed(scene: Scene, plan: Plan) -> Plan:
    """One coin hangs, and the two that are asked first after the majors are late; the other terms are the issue's."""
    ranked = sorted(scene.coins, key=lambda coin: (scene.rank(coin), coin))
    after_majors = [coin for coin in ranked if scene.rank(coin) > 0 and coin != HANGING[plan.limit]]
    return replace(plan, hanging=HANGING[plan.limit], late=tuple(after_majors[:2]))


def violations(scene: Scene, plan: Plan, played: Played) -> list[str]:
    """A sentence for everything that was not as expected."""
    return [
        *_invocations(plan, played),
        *_in_time(scene, plan, played),
        *_order(scene, plan, played),
        *_named(plan, played),
        *_limit(plan, played),
        *_bars(scene, plan),
    ]


def _invocations(plan: Plan, played: Played) -> Iterator[str]:
    for run in played.runs:
        if run.error:
            yield f"{run.name} failed: {run.error}"
        if run.seconds > run.timeout_s:
            yield f"{run.name} took {run.seconds:.1f} s; its function may take {run.timeout_s:g} s"
        if run.seconds > plan.run_max_s:
            yield f"{run.name} took {run.seconds:.1f} s; expected at most {plan.run_max_s:g} s"
    shards, expected = max(run.shards for run in played.runs), math.ceil(plan.coins / plan.shard_coins)
    if plan.limit == "per_pair" and shards != expected:
        yield f"the largest run sent out {shards} shards; expected {expected}"
    if played.concluded_s is None:
        yield f"the close was not concluded within {plan.patience_s:g} s"


def _in_time(scene: Scene, plan: Plan, played: Played) -> Iterator[str]:
    unlucky = played.unlucky(scene, plan)
    for coin in sorted(scene.coins - {plan.hanging}):
        at = played.stored.get(coin, math.inf)
        by = plan.late_by_s if coin in plan.late else plan.healthy_by_s + plan.minute_s * (coin in unlucky)
        if at > by:
            yield f"{coin} was stored {at:.1f} s after the close; expected within {by:g} s"
    for coin in plan.late:
        if played.outcomes(scene).get(coin, []).count("ok") < 2:
            yield f"{coin} was not asked before its bar was there, so that nothing was seen of a late coin"
    if plan.hanging in played.stored:
        yield f"{plan.hanging} has a bar of the spot market although it hangs"


def _order(scene: Scene, plan: Plan, played: Played) -> Iterator[str]:
    for run in played.runs:
        if run.shards:
            continue  # it stored nothing itself, and the shards of the run before may still be under way
        excused = {plan.hanging, *plan.late} | run.failing
        lowest = max((scene.rank(coin) for coin in run.coins & run.stored), default=0)
        behind = sorted(coin for coin in run.coins - run.stored - excused if scene.rank(coin) < lowest)
        if behind:
            yield f"after {run.name} lower tiers are stored, but not {', '.join(behind)}"
    if plan.limit == "per_ip":
        yield from _order_of_calls(scene, played)


def _order_of_calls(scene: Scene, played: Played) -> Iterator[str]:
    """The first calls of all coins go by tier; threads that ask at the same time may overtake each other."""
    first_calls = list(dict.fromkeys(scene.coin_of[entry.pair] for entry in played.log))
    for position, coin in enumerate(first_calls):
        overtaken = [other for other in first_calls[:position] if scene.rank(other) > scene.rank(coin)]
        if len(overtaken) >= WORKERS:
            yield f"{coin} was first asked after {len(overtaken)} coins of lower tiers, {overtaken[0]} the first"
            return


def _named(plan: Plan, played: Played) -> Iterator[str]:
    """Who lacks the close is named with the reason. A run may also name a coin whose calls all failed in it."""
    others = played.waiting.keys() - {plan.hanging} - played.failing_at_conclusion
    if plan.hanging not in played.waiting or others:
        yield f"the last record names {sorted(played.waiting)} as waiting; expected {plan.hanging}"
    why = played.waiting.get(plan.hanging, "no answer")
    if "no answer" not in why:
        yield f"the last record says of {plan.hanging}: {why!r}; expected that it gave no answer"


def _limit(plan: Plan, played: Played) -> Iterator[str]:
    allowed = max(1, int(REFUSED_MAX_SHARE * len(played.log)))
    if played.refused > allowed:
        yield f"{played.refused} of {len(played.log)} calls came too fast; expected at most {allowed} on a busy machine"


def _bars(scene: Scene, plan: Plan) -> Iterator[str]:
    """The newest stored bars against the sandbox's own, of 15m and of the derived 1h when the close ends one."""
    for timeframe in plan.timeframes:
        series = scene.store.load_series(sorted(scene.coins), [timeframe], plan.close)
        for coin in sorted(scene.coins - {plan.hanging}):
            bars = series[coin, timeframe]
            newest = bars[len(bars) - 1] if len(bars) else None
            own = own_bar(scene, coin, timeframe, plan.close)
            if newest is None or own is None or not _alike(newest, own):
                yield f"the newest {timeframe} bar of {coin} is {newest}; the sandbox has {own}"


def own_bar(scene: Scene, coin: InstrumentId, timeframe: Timeframe, close: datetime) -> Candle | None:
    """The bar that ended at the close, as the sandbox itself gives it."""
    opened = int(close.timestamp()) - timeframe.seconds
    instrument = scene.instruments[coin]
    query = f"pair={instrument.spot_pair}&interval={timeframe.seconds // 60}&since={opened}"
    with urllib.request.urlopen(f"{scene.stack.sandbox_url}/0/public/OHLC?{query}", timeout=10) as answer:
        rows = json.load(answer)["result"][instrument.spot_pair]
    for time, *prices in rows:
        if time == opened:
            opening, high, low, closing, _, volume = map(float, prices[:6])
            return Candle(open_time=time, open=opening, high=high, low=low, close=closing, volume=volume)
    return None


def _alike(one: Candle, other: Candle) -> bool:
    """Prices are the same numbers; a volume that was added up may differ behind its eighth digit."""
    return math.isclose(one.volume, other.volume, rel_tol=1e-8) and replace(one, volume=other.volume) == other


def table(scene: Scene, plan: Plan, played: Played) -> str:
    healthy = sorted(at for coin, at in played.stored.items() if coin not in plan.late)
    late = ", ".join(f"{coin} {played.stored.get(coin, math.inf):.1f} s" for coin in plan.late)
    repeated = sum(before != "ok" for calls in played.outcomes(scene).values() for before in calls[:-1])
    unlucky = sorted(played.unlucky(scene, plan))
    rows = [
        ("healthy coins stored", f"{len(healthy)} of {len(scene.coins) - len(plan.late) - 1}"),
        ("first of them after", f"{healthy[0]:.1f} s" if healthy else "-"),
        ("last of them after", f"{healthy[-1]:.1f} s" if healthy else "-"),
        (f"late coins ({plan.late_s:g} s) stored after", late),
        ("failed in all attempts of a run", ", ".join(unlucky) or "none"),
        *((f"waiting: {coin}", why) for coin, why in sorted(played.waiting.items())),
        ("bars of the index for", ", ".join(played.substituted) or "none"),
        ("close concluded after", f"{played.concluded_s:.1f} s" if played.concluded_s else "never"),
        ("calls made", str(len(played.log))),
        ("calls that failed or hung", str(sum(entry.outcome in ("failed", "hung") for entry in played.log))),
        ("calls repeated after that", str(repeated)),
        ("refused by the rate limit", str(played.refused)),
    ]
    runs = [
        f"  {run.name:<34} {run.began:6.1f} to {run.ended:6.1f} s = {run.seconds:5.1f} s, {len(run.stored):3} stored"
        for run in played.runs
    ]
    head = f"{plan.limit}: {plan.coins} coins, {plan.calls_per_second:g} calls a second, close {to_text(plan.close)}"
    return "\n".join(
        [head, *(f"  {name:<34} {text}" for name, text in rows), "  runs, seconds after the close:", *runs]
    )


def ingest_close(scene: Scene, plan: Plan) -> list[str]:
    """Play one close, print its table; returns the violations."""
    sandbox = scene.stack.sandbox()
    sandbox.advance(plan.close)
    sandbox.spot_conditions(**plan.conditions(scene))
    played = play(scene, plan, sandbox)
    sandbox.spot_conditions(**SpotConditions().document())
    found = violations(scene, plan, played)
    print(table(scene, plan, played))
    print("\n".join(f"  VIOLATED: {each}" for each in found) or "  every expectation was met", flush=True)
    return found


def whole_exchange(plans: Collection[Plan]) -> list[str]:
    """Start the exchange, discover and bootstrap it, and play the plans' closes one after the other."""
    coins, found = max(plan.coins for plan in plans), []
    with running(coins, START) as stack:
        listed = stack.run(DISCOVER, VenueTime(at=START))["markets"]
        if listed != coins:
            return [f"discovery found {listed} markets; expected {coins}"]
        scene = Scene.of(stack)
        closes = [START + Timeframe.M15.seconds * timedelta(seconds=each) for each in range(QUIET_CLOSES + len(plans))]
        prepare(scene, closes[:QUIET_CLOSES])
        for plan, close in zip(plans, closes[QUIET_CLOSES:], strict=True):
            found += ingest_close(scene, disturbed(scene, replace(plan, close=close)))
    return found


def main(words: list[str]) -> int:
    limit, coins, calls_per_second, minute_s = (*words, *("per_pair", "300", "1", "60")[len(words) :])[:4]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    limits = ("per_pair", "per_ip") if limit == "both" else (limit,)
    plans = [
        Plan(limit=each, coins=int(coins), calls_per_second=float(calls_per_second), minute_s=float(minute_s))
        for each in limits
    ]
    found = whole_exchange(plans)
    for sentence in found:
        print(sentence, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
