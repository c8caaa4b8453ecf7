"""What a file from outside may hold, looked at before anything in it is loaded."""
