"""Kraken's own asset names and the common code of the same coin: one explicit table for spot and derivatives.

Source: `commonCurrencies` of ccxt 4.5.90 (`kraken`, `krakenfutures`); a test compares it with the installed ccxt.
A name that is not listed is already the common code. Never derived by cutting text.
"""

from __future__ import annotations

COMMON_CODES: dict[str, str] = {
    "XBT": "BTC",
    "XXBT": "BTC",
    "XDG": "DOGE",
    "XXDG": "DOGE",
    "XETC": "ETC",
    "XETH": "ETH",
    "XLTC": "LTC",
    "XMLN": "MLN",
    "XREP": "REP",
    "XXLM": "XLM",
    "XXMR": "XMR",
    "XXRP": "XRP",
    "XZEC": "ZEC",
    "ZAUD": "AUD",
    "ZCAD": "CAD",
    "ZEUR": "EUR",
    "ZGBP": "GBP",
    "ZJPY": "JPY",
    "ZUSD": "USD",
    "LUNA": "LUNC",
    "LUNA2": "LUNA",
    "REPV2": "REP",
    "REP": "REPV1",
    "UST": "USTC",
    "BCHSV": "BSV",
    "FEE": "KFEE",
}


def common_code(name: str) -> str:
    """`BTC` for `XXBT`, `XBT` and `BTC` alike."""
    upper = name.upper()
    return COMMON_CODES.get(upper, upper)
