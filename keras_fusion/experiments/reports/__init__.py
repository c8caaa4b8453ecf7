"""Results of experiments as tables, plots, pictures and cards."""
