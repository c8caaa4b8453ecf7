"""The contract of an operator, for one of your own, as scikit-learn's checks are."""

import json
import pathlib
import tempfile

import keras
import numpy as np
from keras import ops, tree

__all__ = ["check_operator"]

TOLERANCE = 2e-5  # relative and absolute, of float32
SCALE = 0.7  # deviation of the random weights


def check_operator(operator, inputs):
    """Checks that a layer keeps the contract of an operator.

    The layer is a template: it is not changed, every law asks a copy of it with random
    weights. The laws are: what is absent has no influence, not even where it is NaN;
    where all is absent the output is finite; a sample does not depend on others; the
    weights are all tracked; the promised shape is the one that comes; and the layer is
    the same after saving.

    Args:
        operator: A layer that is called with a list of tensors and `modality_mask`,
            in the manner of `keras_fusion.layers.Fusion`. Its class is registered with
            `keras.saving.register_keras_serializable`. Without dropout, since the laws
            compare numbers.
        inputs: List of M float arrays `(B, ...)`, B of 2 or more, without NaN.

    Raises:
        AssertionError: If a law is broken; one sentence says which.

    Example:

    >>> import numpy as np
    >>> from keras_fusion.layers import SoftmaxGating
    >>> rgb, depth = np.ones((3, 8), "float32"), np.ones((3, 8), "float32")
    >>> check_operator(SoftmaxGating(), [rgb, depth])
    """
    inputs = [np.asarray(x, "float32") for x in inputs]
    for law in LAWS:
        law(operator, inputs)


def check_serialization(operator, inputs):
    """The configuration is plain JSON, and makes the same layer again."""
    name = type(operator).__name__
    try:
        config = keras.saving.serialize_keras_object(operator)
        again = keras.saving.deserialize_keras_object(json.loads(json.dumps(config)))
        same = keras.saving.serialize_keras_object(again) == config
    except Exception as error:  # whatever a constructor or get_config raises
        raise AssertionError(f"{name} is not made again by its configuration.") from (
            error
        )
    assert same, f"The configuration of {name} is another one after one round."


def check_absence(operator, inputs):
    """What is absent has no influence, whatever it holds."""
    name = type(operator).__name__
    there = some_absent(len(inputs[0]), len(inputs))
    op = made(operator, inputs)

    def answer(filler):
        return outputs(op, fill_absent(inputs, there, filler), modality_mask=there)

    expected = answer(0.5)
    assert all(np.isfinite(y).all() for y in expected), (
        f"{name} does not give finite numbers where a modality is absent."
    )
    for y, own in zip(answer(1e6), expected, strict=True):
        assert np.array_equal(y, own), (
            f"{name} lets an absent modality influence its output."
        )
    for y, own in zip(answer(np.nan), expected, strict=True):
        assert np.array_equal(y, own), (
            f"{name} lets the NaN of an absent modality through to its output."
        )


def check_all_absent(operator, inputs):
    """A sample of which nothing is present has a finite output."""
    name = type(operator).__name__
    there = np.zeros((len(inputs[0]), len(inputs)), bool)
    nothing = fill_absent(inputs, there, np.nan)
    for y in outputs(made(operator, inputs), nothing, modality_mask=there):
        assert np.isfinite(y).all(), (
            f"{name} does not give finite numbers where all modalities are absent."
        )


def check_full_mask(operator, inputs):
    """A mask that says that all is present changes nothing."""
    name = type(operator).__name__
    op = made(operator, inputs)
    there = np.ones((len(inputs[0]), len(inputs)), bool)
    masked = outputs(op, inputs, modality_mask=there)
    for y, own in zip(masked, outputs(op, inputs), strict=True):
        assert close(y, own), f"{name} changes under a mask without an absence."


def check_weights_are_tracked(operator, inputs):
    """Two copies with equal weights give the same, so there is no other state."""
    name = type(operator).__name__
    first, second = (outputs(made(operator, inputs), inputs) for _ in range(2))
    for y, own in zip(first, second, strict=True):
        assert np.array_equal(y, own), (
            f"{name} has weights that Keras does not track, or draws at inference."
        )


def check_samples(operator, inputs):
    """A batch is its samples one by one."""
    name = type(operator).__name__
    op = made(operator, inputs)
    alone = outputs(op, [x[:1] for x in inputs])
    for y, own in zip(outputs(op, inputs), alone, strict=True):
        assert close(y[:1], own), f"{name} lets one sample depend on others."


def check_output_shape(operator, inputs):
    """`compute_output_shape` promises what comes, on arrays and in a model."""
    name = type(operator).__name__
    op = made(operator, inputs)
    came = [y.shape for y in outputs(op, inputs)]
    promised = op.compute_output_shape([x.shape for x in inputs])
    promised = promised if isinstance(promised, list) else [promised]
    assert came == [tuple(shape) for shape in promised], (
        f"{name} promises the shapes {promised}, but gives {came}."
    )


def check_saving(operator, inputs):
    """A saved model gives the same outputs."""
    name = type(operator).__name__
    symbols = [keras.Input(x.shape[1:], name=f"x{m}") for m, x in enumerate(inputs)]
    model = randomise(keras.Model(symbols, copy(operator)(symbols)))
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "model.keras"
        model.save(path)
        again = keras.saving.load_model(path)
    for y, own in zip(outputs(again, inputs), outputs(model, inputs), strict=True):
        assert close(y, own), f"{name} gives other outputs after it was saved."


LAWS = (
    check_serialization,
    check_absence,
    check_all_absent,
    check_full_mask,
    check_weights_are_tracked,
    check_samples,
    check_output_shape,
    check_saving,
)


def copy(operator):
    """A layer of the same configuration that is not built."""
    return type(operator).from_config(operator.get_config())


def made(operator, inputs):
    """A copy that was called once, with random weights, the same each time."""
    op = copy(operator)
    op([ops.convert_to_tensor(x) for x in inputs])
    return randomise(op)


def randomise(layer, seed=0, scale=SCALE):
    """The layer with normal draws in all its weights, the same for the same shapes."""
    rng = np.random.default_rng(seed)
    for weight in layer.weights:
        weight.assign(rng.normal(0, scale, weight.shape))
    return layer


def some_absent(rows, count):
    """`(B, M)` mask: every second absent in the first row, all in the last."""
    there = np.ones((rows, count), bool)
    there[0, 1::2] = False
    there[-1] = False
    return there


def fill_absent(inputs, there, filler):
    """The inputs with `filler` in all that is absent."""
    return [
        np.where(there[:, m].reshape(-1, *[1] * (x.ndim - 1)), x, np.float32(filler))
        for m, x in enumerate(inputs)
    ]


def outputs(op, inputs, **kwargs):
    """What the operator gives, as a flat list of float32 arrays."""
    fused = op([ops.convert_to_tensor(x) for x in inputs], **kwargs)
    return [ops.convert_to_numpy(ops.cast(y, "float32")) for y in tree.flatten(fused)]


def close(a, b):
    return a.shape == b.shape and np.allclose(a, b, rtol=TOLERANCE, atol=TOLERANCE)
