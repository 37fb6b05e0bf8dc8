"""The command line `smc-trader`."""
