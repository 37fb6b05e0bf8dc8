"""The words of the trade: values that validate themselves, and one transition table per life cycle."""
