"""How do we reach the world? Venue, storage, settings, clock, alerts, observability. No decisions."""
