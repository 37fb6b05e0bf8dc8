"""Dynamic exits: one function per rule, in a registry that says what was evaluated and what fired."""
