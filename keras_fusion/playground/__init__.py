"""One local page on which a person tries a trained model."""
