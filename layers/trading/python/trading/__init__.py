"""What is decided: strategy and risk. Pure: no I/O, no clock, no environment, standard library only."""
