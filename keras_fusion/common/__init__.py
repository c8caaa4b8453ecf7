"""What every room stands on: names, errors, files, and where numbers come from."""
