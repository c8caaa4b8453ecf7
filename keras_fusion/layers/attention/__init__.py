"""Layers of one tensor, whose positions attend to each other."""
