"""What is decided for one coin at one closed decision bar: bias, setup, gates, score, levels, signal."""
