"""Start the sandbox: `python -m infra.local.sandbox --port 0 --market generated --seed 7 --coins 12 --start <time>`.

Prints one JSON line when it serves: port, url, period, contracts, key names. Bad arguments give one sentence
on standard error and exit code 2.
"""

import argparse
import json
import signal
import sys
import threading
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path

from infra.local.market import CandleMarket, GeneratedMarket, generated_market, recorded_market
from infra.local.sandbox.application import Application
from infra.local.sandbox.server import SandboxServer
from infra.local.sandbox.signing import ApiKey, KeyRing, Permission
from infra.local.sandbox.venue import VenueSettings, open_venue
from infra.local.sandbox.wire import iso
from trading.errors import InvalidInput

DEFAULT_KEY, READ_KEY = "sandbox-key", "sandbox-read-key"
DEFAULT_SECRET = "c2FuZGJveCB0cmFkaW5nIHNlY3JldCwgd29ydGggbm90aGluZw=="
READ_SECRET = "c2FuZGJveCByZWFkaW5nIHNlY3JldCwgd29ydGggbm90aGluZw=="
GENERATED_START = "2024-08-01T00:00:00Z"
RECORDED_SHARE = 5 / 6


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(prog="python -m infra.local.sandbox", description="Kraken sandbox on loopback")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1, 0 picks a free one")
    parser.add_argument("--market", choices=("generated", "recorded"), default=None)
    parser.add_argument("--candles", type=Path, help="folder of recorded candles (implies --market recorded)")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument(
        "--coins",
        type=int,
        default=12,
        help="generated bars cost 6 us and 0.3 kB each: 300 coins with --history-days 10 --days 2 are ready in 2 s",
    )
    parser.add_argument("--start", help=f"virtual start, ISO 8601 with zone (generated: {GENERATED_START})")
    parser.add_argument("--days", type=int, default=40, help="days of generated prices after the start")
    parser.add_argument("--history-days", type=int, default=240, help="days of generated prices before the start")
    parser.add_argument("--balance", default="10000", help="USD in the multi-collateral account")
    parser.add_argument("--state-file", type=Path, help="save the venue here after each change, restore it at start")
    parser.add_argument("--real-time", action="store_true", help="let virtual time follow the wall clock")
    parser.add_argument("--api-key", default=DEFAULT_KEY)
    parser.add_argument("--api-secret", default=DEFAULT_SECRET)
    return parser.parse_args(argv)


def choose_market(options: argparse.Namespace) -> tuple[CandleMarket, datetime]:
    """Market and virtual start that the options ask for."""
    kind = options.market or ("recorded" if options.candles else "generated")
    start = _time(options.start) if options.start else None
    if kind == "recorded":
        if options.candles is None:
            raise InvalidInput("--market recorded needs --candles, a folder of recorded candles")
        market = recorded_market(options.candles, options.coins, options.seed)
        chosen = start or market.first + (market.last - market.first) * RECORDED_SHARE
        return market, chosen.replace(minute=0, second=0, microsecond=0)
    now = datetime.now(UTC).replace(microsecond=0)
    chosen = start or (now if options.real_time else _time(GENERATED_START))
    spec = GeneratedMarket(
        seed=options.seed, coins=options.coins, start=chosen, days=options.days, history_days=options.history_days
    )
    market = generated_market(spec)
    market.preload()
    return market, chosen


def _time(text: str) -> datetime:
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidInput(f"time is {text!r}, expected ISO 8601 like {GENERATED_START}") from error
    if parsed.tzinfo is None:
        raise InvalidInput(f"time is {text!r}, expected a zone, like {GENERATED_START}")
    return parsed.astimezone(UTC)


def _balance(text: str) -> Decimal:
    try:
        parsed = Decimal(text)
    except InvalidOperation as error:
        raise InvalidInput(f"balance is {text!r}, expected USD above 0") from error
    if not parsed.is_finite() or parsed <= 0:
        raise InvalidInput(f"balance is {text!r}, expected USD above 0")
    return parsed


def key_ring(key: str, secret: str) -> KeyRing:
    """The trading key given and the sandbox's fixed reading key."""
    reading = ApiKey(key=READ_KEY, secret=READ_SECRET, permission=Permission.READ)
    return KeyRing({READ_KEY: reading, key: ApiKey(key=key, secret=secret)})


def build(options: argparse.Namespace) -> Application:
    """Application for the options; raises InvalidInput for anything wrong with them."""
    balance = _balance(options.balance)
    market, start = choose_market(options)
    settings = VenueSettings(
        start=start,
        balance=balance,
        seed=options.seed,
        real_time=options.real_time,
        state_file=options.state_file,
    )
    return Application(open_venue(market, key_ring(options.api_key, options.api_secret), settings))


def main(argv: list[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT."""
    options = arguments(argv)
    try:
        application = build(options)
        server = SandboxServer(options.port, application)
    except (InvalidInput, OSError) as error:
        print(f"sandbox: {error}", file=sys.stderr)
        return 2
    venue = application.venue
    ready = {
        "port": server.port,
        "url": f"http://127.0.0.1:{server.port}",
        "now": iso(venue.now),
        "market": venue.source.kind,
        "first": iso(venue.source.first),
        "last": iso(venue.source.last),
        "contracts": [item.contract for item in venue.source.listings() if item.contract and not item.decoy],
        "keys": list(venue.keys.keys),
    }
    print(json.dumps(ready), flush=True)
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: threading.Thread(target=server.shutdown).start())
    with server:
        server.serve_forever(poll_interval=0.2)
    return 0


if __name__ == "__main__":
    sys.exit(main())
