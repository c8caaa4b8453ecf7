"""KerasHub, an extra: imported where a preset or a file names it."""

import importlib
import types

REGISTERED = "keras_hub>"  # how the names of its classes begin in a file


def package() -> types.ModuleType:
    """The package; an ImportError says what to install."""
    try:
        return importlib.import_module("keras_hub")
    except ImportError as error:
        raise ImportError(
            f"What comes from KerasHub needs it ({error}): "
            'pip install "keras-fusion[text]".'
        ) from error
