"""A client of TensorFlow Serving and of what speaks its API."""
