"""A local server that speaks TensorFlow Serving's API, and a client of either.

`keras_fusion.serving.server.server.Server` needs TensorFlow and the extra `serving`.
"""

from keras_fusion.serving.client.client import Client
from keras_fusion.serving.errors import ServingError

__all__ = ["Client", "ServingError"]
