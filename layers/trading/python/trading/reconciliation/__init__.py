"""The exchange is the truth for positions and orders; our ledger for intents, plans and history."""
