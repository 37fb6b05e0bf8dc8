"""Tables and lists as HTML. Every text that comes from outside is escaped here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from trading.model.positions import Trade
from trading.model.units import plain

STYLE = """
:root{color-scheme:light dark}
.smc{font:14px/1.45 system-ui,sans-serif;color:CanvasText;font-variant-numeric:tabular-nums}
.smc h1{font-size:22px;margin:0 0 4px}.smc h2{font-size:16px;margin:28px 0 8px}
.smc table{border-collapse:collapse;width:100%}.smc .scroll{overflow-x:auto}
.smc th,.smc td{padding:4px 8px;border-bottom:1px solid #8884;text-align:right;white-space:nowrap}
.smc th:first-child,.smc td:first-child,.smc .text td,.smc .text th{text-align:left}
.smc .text td{white-space:normal}
.smc .counts td:last-child{text-align:left;width:100%}
.smc th{font-weight:600;opacity:.75}.smc .good{color:#1a9c80}.smc .bad{color:#d9483b}.smc .soft{opacity:.7}
.smc .cards{display:flex;flex-wrap:wrap;gap:10px}.smc .card{border:1px solid #8884;border-radius:8px;padding:8px 14px}
.smc .card b{display:block;font-size:18px}
.smc .bar{display:inline-block;height:10px;background:#2f6fde;border-radius:2px}
.smc .lines td,.smc .lines th{text-align:left}
.smc figure{margin:0;overflow-x:auto}.smc figure svg{min-width:860px}.smc figcaption{font-size:12px;margin:4px 0 12px}
.smc .columns{display:flex;flex-wrap:wrap;gap:0 32px;align-items:flex-start}.smc .columns section{flex:1 1 auto}
.smc .state{padding:2px 10px;border-radius:10px;color:#fff}.smc .ok{background:#1a9c80}
.smc .degraded{background:#c98500}.smc .down{background:#d9483b}
"""


def table(headings: Sequence[str], rows: Iterable[Sequence[str]], *, kind: str = "") -> str:
    """Cells are HTML already (see `cell`, `signed`); headings are plain text.

    `kind`: "text" for prose, aligned left; "lines" for short texts; "counts" for numbers with a bar behind them.
    """
    head = "".join(f"<th>{escape(each)}</th>" for each in headings)
    body = "".join(f"<tr>{''.join(f'<td>{value}</td>' for value in row)}</tr>" for row in rows)
    return (
        f'<div class="scroll"><table class="{kind}"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def cell(value: object) -> str:
    return escape(str(value))


def signed(text: str, value: float) -> str:
    """Green above zero, red below."""
    kind = "good" if value > 0 else "bad" if value < 0 else ""
    return f'<span class="{kind}">{escape(text)}</span>'


def cards(figures: Iterable[tuple[str, str]]) -> str:
    each = "".join(f'<div class="card"><span class="soft">{cell(n)}</span><b>{cell(v)}</b></div>' for n, v in figures)
    return f'<div class="cards">{each}</div>'


def counted(pairs: Sequence[tuple[str, int]]) -> str:
    """Names with their counts and a bar of the largest."""
    most = max((count for _, count in pairs), default=0) or 1
    rows = [
        (cell(name), f"{count:,}", f'<span class="bar" style="width:{max(1, round(200 * count / most))}px"></span>')
        for name, count in pairs
    ]
    return table(("", "count", ""), rows, kind="counts")


def trades_table(trades: Sequence[Trade]) -> str:
    """One line per closed trade, in the order given. Money in USD."""
    headings = ("coin", "side", "setup", "opened", "closed", "quantity", "entry", "exit", "gross", "fees", "funding",
                "net", "R", "exit reason")  # fmt: skip
    return table(headings, [_trade(each) for each in trades])


def _trade(trade: Trade) -> tuple[str, ...]:
    money = (f"{value:,.2f}" for value in (trade.gross, trade.fees, trade.funding))
    return (
        cell(trade.instrument),
        cell(trade.side),
        cell(trade.setup),
        f"{trade.opened_at:%d %b %H:%M}",
        f"{trade.closed_at:%d %b %H:%M}",
        plain(trade.quantity),
        plain(round(trade.entry, 6)),
        plain(round(trade.exit, 6)),
        *money,
        signed(f"{trade.net:+,.2f}", float(trade.net)),
        signed(f"{trade.r_multiple:+.2f}", float(trade.r_multiple)),
        cell(trade.exit_reason),
    )
