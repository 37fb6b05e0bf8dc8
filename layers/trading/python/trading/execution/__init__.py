"""From an approved idea to orders: the plan, the entry's life, and the protection of what was filled."""
