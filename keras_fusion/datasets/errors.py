"""The error that says what is wrong with data."""


class DataError(ValueError):
    """A file or an array does not hold what a data set needs: a fault of the input."""
