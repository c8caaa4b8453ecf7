"""A recipe, trained, judged beside its baselines, and reported."""
