"""What a model of the zoo answers to raw features."""

import contextlib

import keras
import numpy as np
from keras import ops

from keras_fusion import datasets, export
from keras_fusion.common.batching import prediction_batch
from keras_fusion.common.errors import InputError
from keras_fusion.common.names import MASK


def answered(model: keras.Model, inputs: dict) -> dict:
    """`model.predict` of raw features, with the mask of what is there.

    Args:
        model: With named inputs and outputs.
        inputs: `(B, ...)` arrays by modality, and `modality_mask` `(B, M)` in place of
            rows that are all NaN.

    Raises:
        ValueError: If the inputs do not fit, or the model takes no mask.
    """
    shapes = {name: x.shape for name, x in model.input.items() if name != MASK}
    inputs, masked = dict(inputs), MASK in inputs
    present = inputs.pop(MASK, None)
    export.check_inputs(inputs, shapes)
    if not masked:
        present = datasets.modality_mask({name: inputs[name] for name in shapes})
    arrays = {
        name: _of_dtype(name, inputs[name], present[:, m], model.input[name].dtype)
        for m, name in enumerate(shapes)
    }
    if MASK in model.input:
        arrays[MASK] = present
    elif masked:
        raise InputError(f"{model.name} takes no `{MASK}`.")
    if any(x.dtype == "float64" for x in arrays.values()):
        return _exactly(model, arrays)
    return model.predict(arrays, batch_size=prediction_batch(arrays), verbose=0)


def _exactly(model, arrays):
    """`model.predict`, which would round float64 to float32 on its way."""
    size, count = prediction_batch(arrays), len(next(iter(arrays.values())))
    with _float64():
        answers = [
            model(
                {n: ops.convert_to_tensor(x[i : i + size]) for n, x in arrays.items()}
            )
            for i in range(0, count, size)
        ]
    return {
        name: np.concatenate([ops.convert_to_numpy(x[name]) for x in answers])
        for name in answers[0]
    }


def _float64():
    """A context in which JAX has float64, which it rounds to float32 by default."""
    if keras.backend.backend() != "jax":
        return contextlib.nullcontext()
    import jax

    return jax.enable_x64(True)


def _of_dtype(name, x, present, dtype):
    """`x` as the model takes it; whole numbers stand for rows that are absent."""
    if dtype.startswith("float") or x.dtype.kind != "f":
        return x.astype(dtype)
    x = np.where(present.reshape(-1, *(1,) * (x.ndim - 1)), x, 0)
    if (x % 1).any():  # NaN % 1 is true
        raise InputError(f"Expected whole numbers in {name!r}, and none missing.")
    return x.astype(dtype)
