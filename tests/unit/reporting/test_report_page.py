from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from html.parser import HTMLParser

from tests.unit.control.records import NOW, trade
from trading.reporting.pages import DemoReport, honest_remarks, render_report

HOSTILE = "<img src=x onerror=alert(1)>"
REPORT = DemoReport(
    source="recorded",
    seed=7,
    period=(NOW - timedelta(days=4), NOW),
    coins=("BTC", "ETH"),
    funnel=(("NO_SETUP", 1200), ("SIGNAL", 4)),
    trades=(trade(), trade("ETH", "-6", "stop")),
    equity_points=((NOW - timedelta(days=4), Decimal(10000)), (NOW, Decimal("10006.50"))),
    alerts=(("2026-11-22 11:00", "critical", "BTC is naked"),),
    figures=(("equity end", "10,006.50 USD"),),
    charts=("<svg id='mine'></svg>",),
    remarks=("time was compressed",),
)
VOID = {"meta", "img", "br"}


class Balance(HTMLParser):
    """Fails on a tag that is closed out of order; collects the text."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def parsed(report: DemoReport) -> Balance:
    page = Balance()
    page.feed(render_report(report))
    assert page.open == []
    return page


def test_report_shows_every_part_of_the_run() -> None:
    text = " ".join(parsed(REPORT).texts)
    for expected in ("recorded candles, seed 7", "BTC, ETH", "NO_SETUP", "1,200", "target_2", "+12.50", "-6.00",
                     "-1.20", "BTC is naked", "10,006.50 USD", "time was compressed", "Equity in USD"):  # fmt: skip
        assert expected in text, expected


def test_report_needs_no_network_and_no_script() -> None:
    html = render_report(REPORT)
    assert "script" not in parsed(REPORT).tags
    assert not any(each in html for each in ("http://", "https://", "url(", "@import", "src="))


def test_texts_from_outside_cannot_become_markup() -> None:
    hostile = replace(
        REPORT,
        coins=(HOSTILE,),
        funnel=((HOSTILE, 1),),
        trades=(trade(reason=HOSTILE),),
        alerts=((HOSTILE, HOSTILE, HOSTILE),),
        figures=((HOSTILE, HOSTILE),),
        remarks=(HOSTILE,),
    )
    page = parsed(hostile)
    assert "img" not in page.tags
    assert "".join(page.texts).count(HOSTILE) == 9


def test_empty_run_is_still_a_whole_page() -> None:
    text = " ".join(parsed(replace(REPORT, trades=(), alerts=(), equity_points=(), charts=(), funnel=())).texts)
    assert "No trade was closed." in text
    assert "No alert was sent." in text


def test_remarks_say_what_a_demo_cannot_show() -> None:
    recorded = honest_remarks(REPORT)
    assert "2 trades are far too few to judge a strategy by." in recorded
    assert "The worst trade lost 1.20 R, more than the planned risk of 1 R." in recorded
    assert any("generated from a seed" in line for line in honest_remarks(replace(REPORT, source="generated")))
    assert not any("generated from a seed" in line for line in recorded)
