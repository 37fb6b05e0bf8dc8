"""Where the system lives: AWS templates, the local stack, the command line."""
