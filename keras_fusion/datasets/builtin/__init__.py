"""Data sets that the library knows by name."""
