"""A `.keras` file -> its model."""

from pathlib import Path

import keras


def load(file: str | Path) -> keras.Model:
    """The model of a `.keras` file, in safe mode and not compiled.

    Raises:
        ValueError: If there is no such file, it is not whole, or it holds a class that
            is not known here.
    """
    # Registers the layers that the file may hold.
    import keras_fusion.layers  # noqa: F401

    file = Path(file)
    if not file.is_file():
        raise ValueError(f"There is no model {file}.")
    try:
        return keras.saving.load_model(file, compile=False)
    except Exception as error:  # zipfile, h5py and Keras raise many kinds
        reason = str(error).strip().splitlines()[0]
        if reason.startswith("Could not locate"):
            what = reason.split(".")[0].removeprefix("Could not locate ")
            raise ValueError(
                f"{file} holds the {what}, which is not registered here: import the "
                "module that registers it, then load."
            ) from error
        raise ValueError(f"{file} is not a whole .keras file: {reason}") from error
