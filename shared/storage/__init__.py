"""State in DynamoDB, through PynamoDB: `MarketData` can be rebuilt, `Decisions` expire, `Ledger` is kept."""
