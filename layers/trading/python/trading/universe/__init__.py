"""Which markets are traded: the join of spot pairs and perpetual contracts, liquidity tiers, and the shrink guard."""
