"""A `.keras` file -> its model."""

from pathlib import Path

import keras

from keras_fusion.safety import archives


def load(file: str | Path) -> keras.Model:
    """The model of a `.keras` file, in safe mode and not compiled.

    Raises:
        ValueError: If there is no such file, it is not whole, or it holds a class that
            is not known here or does more than compute; `keras_fusion.safety.allowed`
            has the list.
    """
    import keras_fusion.layers  # noqa: F401  registers what the file may hold

    return archives.load_model(file, compile=False)
