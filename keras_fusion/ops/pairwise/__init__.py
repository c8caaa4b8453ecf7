"""The one formula over all pairs, windows and edges."""
