"""The command `keras-fusion`: one module a subcommand, with a function `run`."""
