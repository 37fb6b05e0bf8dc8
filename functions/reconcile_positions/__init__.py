"""Compares the exchange with the ledger, settles what happened, and repairs what is missing."""
