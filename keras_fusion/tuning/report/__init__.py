"""What a search found: one page, figures, a leaderboard, logs."""
