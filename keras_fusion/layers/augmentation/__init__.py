"""Layers that vary or drop what is seen in training."""
