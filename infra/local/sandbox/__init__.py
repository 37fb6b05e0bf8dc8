"""Venue sandbox: an HTTP server on loopback that speaks Kraken's spot public and Derivatives REST v3 APIs.

Run it with `python -m infra.local.sandbox`. It verifies signatures, matches orders with `trading.matching` against a
recorded or generated market, and keeps virtual time that only `/sandbox/advance` (or `--real-time`) moves.
"""
