"""What the builders are built of."""
