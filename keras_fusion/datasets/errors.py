"""The error that says what is wrong with data."""

from keras_fusion.common.errors import InputError


class DataError(InputError):
    """A file or an array does not hold what a data set needs: a fault of the input."""
