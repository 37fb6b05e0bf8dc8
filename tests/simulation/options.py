"""What one seed draws before its day begins; all of it is printed, so that a run can be told from another."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from random import Random

PROFILES = ("calm", "swarm", "storm", "targeted", "outage", "deploy", "clock", "human", "crash")
DAY_MS = 24 * 3600 * 1000
MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Shares are per call (`store_*`, `venue_*`), per slot (`slot_*`) or per send of an order (`send_*`)."""

    seed: int
    profile: str
    coins: int = 4
    signals: int = 12
    volatility_bps: float = 12.0
    jump_share: float = 0.0
    stop_when_flat: bool = True
    partial_fills: bool = False
    orders_lag_ms: int = 0
    positions_lag_ms: int = 0
    fills_lag_ms: int = 0
    history_lag_ms: int = 1000
    log_lag_ms: int = 0
    store_killed: float = 0.0
    store_error: float = 0.0
    store_lost: float = 0.0
    venue_killed: float = 0.0
    venue_error: float = 0.0
    venue_lost: float = 0.0
    venue_garbled: float = 0.0
    venue_stale: float = 0.0
    venue_slow: float = 0.0
    duplicate: float = 0.0
    send_lost: float = 0.0
    send_killed: float = 0.0
    send_late: float = 0.0
    topic_error: float = 0.0
    slot_skipped: float = 0.0
    slot_doubled: float = 0.0
    slot_late: float = 0.0
    message_doubled: float = 0.0
    message_redriven: float = 0.0
    outages: int = 0
    outage_longest_s: int = 0
    store_outages: int = 0
    key_revoked: int = 0
    owner_trades: int = 0
    operator_acts: int = 0
    deploys: int = 0
    corrupt_records: int = 0
    halts: int = 0
    crash: bool = False
    unlucky: bool = False
    dear_funding: bool = False
    clock_offset_ms: int = 0

    def told(self) -> str:
        """The options that differ from a perfect day, in one line."""
        plain = asdict(Options(seed=self.seed, profile=self.profile))
        return " ".join(f"{name}={value}" for name, value in asdict(self).items() if plain[name] != value)


def draw_options(seed: int, profile: str) -> Options:
    """The day of this seed. `swarm` leaves every class of fault out with a chance of three in ten."""
    random = Random(f"{seed}:options")
    base = {
        "seed": seed,
        "profile": profile,
        "coins": random.randint(3, 6),
        "signals": random.randint(12, 24),
        "volatility_bps": random.choice([6.0, 10.0, 16.0, 24.0]),
        "stop_when_flat": random.random() < 0.8,
        "partial_fills": random.random() < 0.5,
        "unlucky": random.random() < 0.25,
        "dear_funding": Random(f"{seed}:funding").random() < 0.15,
    }
    if profile == "calm":
        return Options(**base)  # type: ignore[arg-type]
    drawn = _faults(random, 3.0 if profile == "storm" else 1.0, 0.0 if profile == "storm" else 0.3)
    lost = {"send_lost": _lost_replies(Random(f"{seed}:lost"), always=profile == "targeted")}
    return Options(**(base | drawn | lost | _special(profile, random)))  # type: ignore[arg-type]


def _lost_replies(random: Random, *, always: bool) -> float:
    """The rarest and worst fault is stratified: half of all days, calm ones among them, shall lose one reply in twenty.

    Three days in four draw a share well above that, because the few sends of one day may be lucky.
    """
    return round(random.uniform(0.08, 0.3), 4) if always or random.random() < 0.75 else 0.0


SHARES = {
    "store_killed": 0.002,
    "store_error": 0.003,
    "store_lost": 0.003,
    "venue_killed": 0.003,
    "venue_error": 0.008,
    "venue_lost": 0.005,
    "venue_garbled": 0.005,
    "venue_stale": 0.02,
    "venue_slow": 0.002,
    "duplicate": 0.003,
    "send_killed": 0.05,
    "send_late": 0.04,
    "topic_error": 0.05,
    "slot_skipped": 0.02,
    "slot_doubled": 0.02,
    "slot_late": 0.05,
    "message_doubled": 0.1,
    "message_redriven": 0.1,
    "jump_share": 0.002,
}
"""The most of each that a day of strength 1 draws; the least is a fifth of it, or nothing at all."""

LAGS_MS = {
    "orders_lag_ms": 3_000,
    "positions_lag_ms": 5_000,
    "fills_lag_ms": 5_000,
    "history_lag_ms": 120_000,
    "log_lag_ms": 60_000,
}
EVENTS = {"outages": 3, "store_outages": 1, "owner_trades": 2, "operator_acts": 2, "deploys": 1, "halts": 2}


def _faults(random: Random, strength: float, left_out: float) -> dict[str, object]:
    def out() -> bool:
        return random.random() < left_out

    drawn: dict[str, object] = {
        name: 0.0 if out() else round(random.uniform(most / 5, most) * strength, 5) for name, most in SHARES.items()
    }
    drawn |= {name: 0 if out() else random.randint(0, most) for name, most in LAGS_MS.items()}
    drawn |= {name: 0 if out() else random.randint(0, most) for name, most in EVENTS.items()}
    return drawn | {
        "outage_longest_s": random.choice([60, 600, 3600]),
        "key_revoked": int(random.random() < 0.15),
        "corrupt_records": int(random.random() < 0.15),
        "clock_offset_ms": random.randint(-500, 500),
    }


def _special(profile: str, random: Random) -> dict[str, object]:
    return {
        "targeted": {"send_killed": 0.1, "send_late": 0.1},
        "outage": {"outages": random.randint(1, 4), "outage_longest_s": random.choice([600, 7200, 54_000])},
        "deploy": {"deploys": random.randint(1, 4)},
        # 2 s are allowed: days on which nothing may be opened, and days on which everything is done by a wrong clock.
        "clock": {"clock_offset_ms": random.choice([-5000, -1500, 1500, 5000])},
        "human": {"owner_trades": random.randint(2, 6), "operator_acts": random.randint(2, 8)},
        "crash": {"crash": True, "volatility_bps": 40.0, "jump_share": 0.01},
    }.get(profile, {})
