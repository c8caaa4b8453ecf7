"""A `.keras` file -> its model."""

from pathlib import Path

import keras

from keras_fusion import archives
from keras_fusion.errors import InputError, first_line


def load(file: str | Path) -> keras.Model:
    """The model of a `.keras` file, in safe mode and not compiled.

    Raises:
        ValueError: If there is no such file, it is not whole, or it holds a class that
            is not known here or does more than compute (see `keras_fusion.safety`).
    """
    import keras_fusion.layers  # noqa: F401  registers what the file may hold

    return loaded(file, compile=False)


def loaded(file: str | Path, compile: bool) -> keras.Model:
    """`load` once everything that the file may hold is registered."""
    file = Path(file)
    if not file.is_file():
        raise InputError(f"There is no model {file}.")
    archives.check_model(file, compiled=compile)
    try:
        return keras.saving.load_model(file, compile=compile)
    except Exception as error:  # zipfile, h5py and Keras raise many kinds
        reason = first_line(error)
        raise InputError(f"{file} is not a whole .keras file: {reason}") from error
