"""Layers of the nodes of a graph."""
