"""The risk gate: one pure function per limit, and one that composes them."""
