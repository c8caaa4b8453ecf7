"""Fuse several inputs about one thing, with Keras 3 on TensorFlow, JAX and PyTorch.

>>> import keras_fusion as kf
>>> kf.layers.ModalityAttention.__name__
'ModalityAttention'
"""

import importlib

__version__ = "0.1.0"

# They are imported when they are first asked for: each brings Keras and its backend.
_ROOMS = (
    *("attribution", "calibration", "datasets", "export", "layers", "losses"),
    *("metrics", "ops", "serving", "survival", "testing", "tuning", "zoo"),
)


def __getattr__(name):
    if name in _ROOMS:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted([*globals(), *_ROOMS])
