"""The local stack: venue sandbox, market sources, schedule runner, embedded AWS."""
