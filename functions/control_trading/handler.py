"""AWS in, AWS out: one operator's request, answered with what was done or one sentence; to a button as HTML."""

from __future__ import annotations

from typing import Any

from functions.control_trading.answering import answering_widgets, rules_in_reach, told_run
from functions.control_trading.closing import Reach, universe_reader
from functions.control_trading.control import pause, status
from functions.control_trading.desk import ControlDesk
from functions.control_trading.flatten import confirm, preview
from functions.control_trading.payloads import AnyRequest, PauseRequest, ResumeRequest, StatusRequest, parse_request
from functions.control_trading.resuming import resume
from shared.alerts import alerts_of
from shared.clock import current_clock
from shared.observability import Telemetry, observed
from shared.runtime import control_of, ledger_of, market_of, rules_for
from shared.settings import TradingSettings, load_settings
from shared.trading_desk import open_desk
from trading.errors import TradingError


@answering_widgets
@observed("control_trading")
def handler(event: dict[str, Any], telemetry: Telemetry) -> dict[str, Any]:
    try:
        request = parse_request(event)
        desk = _control_desk(load_settings(TradingSettings), telemetry)
        return told_run(desk, request.action, _answer(desk, request))
    except TradingError as error:
        return {"ok": False, "error": str(error)}


def _answer(desk: ControlDesk, request: AnyRequest) -> dict[str, Any]:
    if isinstance(request, StatusRequest):
        return status(desk)
    if isinstance(request, PauseRequest):
        return pause(desk, request)
    if isinstance(request, ResumeRequest):
        return resume(desk, request)
    return confirm(desk, request) if request.token else preview(desk, request)


def _control_desk(settings: TradingSettings, telemetry: Telemetry) -> ControlDesk:
    """The venue and its key are reached for only when asked: a pause must work without either."""
    settings, rules, problem = rules_in_reach(settings, rules_for)
    control, reach = control_of(settings.ledger_table), Reach(lambda: open_desk(settings, telemetry))
    return ControlDesk(
        control=control,
        ledger=ledger_of(settings.ledger_table),
        alerts=alerts_of(settings.alerts_topic_arn, control),
        rules=rules,
        now=current_clock().now(),
        request_id=str(telemetry.logger.get_current_keys().get("function_request_id", "unknown")),
        universe=universe_reader(market_of(settings.market_data_table, rules.data.bars_kept)),
        venue_positions=reach.positions,
        close=reach.close,
        cancel_entries=reach.cancel_entries,
        rules_problem=problem,
    )
