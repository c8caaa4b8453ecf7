"""What every operator promises, law by law."""

import inspect
import json
import pathlib
import tempfile

import keras
import numpy as np
from keras import ops, tree

from keras_fusion.common.gradients import with_gradients

# Relative and absolute.
TOLERANCES = {"float32": 2e-5, "float16": 2e-2, "bfloat16": 1e-1}
SCALE = 0.7  # deviation of the random weights


def check_serialization(operator, inputs, query):
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


def check_absence(operator, inputs, query):
    """What is absent has no influence, whatever it holds."""
    name = type(operator).__name__
    there = some_absent(len(inputs[0]), len(inputs))
    op = made(operator, inputs, query)

    def answer(filler):
        filled = fill_absent(inputs, there, filler)
        return outputs(op, filled, query, modality_mask=there)

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


def check_token_masks(operator, inputs, query):
    """A token that a mask leaves out has no influence; of layers that take a mask."""
    name = type(operator).__name__
    takes = inspect.signature(operator.call).parameters
    if "mask" not in takes or any(x.ndim != 3 for x in inputs):
        return
    op = made(operator, inputs, query)
    kept = [np.ones(x.shape[:2], bool) for x in inputs]
    for mask in kept:
        mask[0, 1:] = False

    def answer(filler):
        pairs = zip(inputs, kept, strict=True)
        filled = [np.where(k[..., None], x, np.float32(filler)) for x, k in pairs]
        return outputs(op, filled, query, mask=kept)

    for y, own in zip(answer(np.nan), answer(0.5), strict=True):
        assert np.array_equal(y, own), (
            f"{name} lets a token that the mask leaves out influence its output."
        )


def check_gradients(operator, inputs, query):
    """Gradients are finite, zero for what is absent, and reach every weight."""
    name = type(operator).__name__
    op = made(operator, inputs, query)

    def answer(arrays, there):
        asked = dict(zip(query, arrays[len(inputs) :]))
        fused = tree.flatten(op(arrays[: len(inputs)], **asked, modality_mask=there))
        draws = [
            np.random.default_rng(k).normal(size=y.shape) for k, y in enumerate(fused)
        ]
        return sum(ops.sum(y * ops.cast(d, y.dtype)) for y, d in zip(fused, draws)), ()

    run = with_gradients(answer, op.trainable_variables)
    there = some_absent(len(inputs[0]), len(inputs))
    filled = fill_absent(inputs, there, np.nan)
    _, found = run([*filled, *query.values()], there=there)
    assert all(np.isfinite(g).all() for g in found), (
        f"{name} has gradients that are not finite where a modality is absent."
    )
    assert not any(g[~there[:, m]].any() for m, g in enumerate(found[: len(inputs)])), (
        f"{name} has a gradient for an absent modality."
    )
    _, found = run([*inputs, *query.values()], there=np.ones_like(there))
    weights = found[len(inputs) + len(query) :]
    if len(inputs) > 1:  # one modality needs no weighing
        assert all(g.any() for g in weights), f"{name} has a weight without a gradient."


def check_precision(operator, inputs, query):
    """Half precision gives its own dtype, and the numbers of float32 as it has them."""
    name = type(operator).__name__
    expected = outputs(made(operator, inputs, query), inputs, query)
    for dtype in ("bfloat16", "float16"):
        op = made(operator, inputs, query, dtype=f"mixed_{dtype}")
        fused = tree.flatten(op([ops.convert_to_tensor(x) for x in inputs], **query))
        came = {keras.backend.standardize_dtype(y.dtype) for y in fused}
        assert came == {dtype}, f"{name} gives {came} under mixed_{dtype}."
        for y, own in zip(outputs(op, inputs, query), expected, strict=True):
            assert close(y, own, dtype), (
                f"{name} gives other numbers under mixed_{dtype}."
            )


def check_all_absent(operator, inputs, query):
    """A sample of which nothing is present has a finite output."""
    name = type(operator).__name__
    there = np.zeros((len(inputs[0]), len(inputs)), bool)
    op, nothing = made(operator, inputs, query), fill_absent(inputs, there, np.nan)
    for y in outputs(op, nothing, query, modality_mask=there):
        assert np.isfinite(y).all(), (
            f"{name} does not give finite numbers where all modalities are absent."
        )


def check_full_mask(operator, inputs, query):
    """A mask that says that all is present changes nothing."""
    name = type(operator).__name__
    op = made(operator, inputs, query)
    there = np.ones((len(inputs[0]), len(inputs)), bool)
    masked = outputs(op, inputs, query, modality_mask=there)
    for y, own in zip(masked, outputs(op, inputs, query), strict=True):
        assert close(y, own), f"{name} changes under a mask without an absence."


def check_weights_are_tracked(operator, inputs, query):
    """Two copies with equal weights give the same, so there is no other state."""
    name = type(operator).__name__
    copies = (made(operator, inputs, query) for _ in range(2))
    first, second = (outputs(op, inputs, query) for op in copies)
    for y, own in zip(first, second, strict=True):
        assert np.array_equal(y, own), (
            f"{name} has weights that Keras does not track, or draws at inference."
        )


def check_samples(operator, inputs, query):
    """A batch is its samples one by one."""
    name = type(operator).__name__
    op = made(operator, inputs, query)
    first = {key: q[:1] for key, q in query.items()}
    alone = outputs(op, [x[:1] for x in inputs], first)
    for y, own in zip(outputs(op, inputs, query), alone, strict=True):
        assert close(y[:1], own), f"{name} lets one sample depend on others."


def check_output_shape(operator, inputs, query):
    """`compute_output_shape` promises what comes, on arrays and in a model."""
    name = type(operator).__name__
    op = made(operator, inputs, query)
    came = [y.shape for y in outputs(op, inputs, query)]
    promised = op.compute_output_shape([x.shape for x in inputs])
    promised = promised if isinstance(promised, list) else [promised]
    assert came == [tuple(shape) for shape in promised], (
        f"{name} promises the shapes {promised}, but gives {came}."
    )


def check_saving(operator, inputs, query):
    """A saved model gives the same outputs."""
    name = type(operator).__name__
    symbols = [keras.Input(x.shape[1:]) for x in (*inputs, *query.values())]
    asked = dict(zip(query, symbols[len(inputs) :]))
    fused = copy(operator)(symbols[: len(inputs)], **asked)
    model = randomize(keras.Model(symbols, fused))
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "model.keras"
        model.save(path)
        again = keras.saving.load_model(path)
    arrays = [*inputs, *query.values()]
    for y, own in zip(outputs(again, arrays), outputs(model, arrays), strict=True):
        assert close(y, own), f"{name} gives other outputs after it was saved."


LAWS = (
    check_serialization,
    check_absence,
    check_token_masks,
    check_all_absent,
    check_gradients,
    check_full_mask,
    check_weights_are_tracked,
    check_samples,
    check_output_shape,
    check_precision,
    check_saving,
)


def copy(operator, **changes):
    """A layer of the same configuration, but for some changes, that is not built."""
    return type(operator).from_config(operator.get_config() | changes)


def made(operator, inputs, query, **changes):
    """A copy that was called once, with random weights, the same each time."""
    op = copy(operator, **changes)
    op([ops.convert_to_tensor(x) for x in inputs], **query)
    return randomize(op)


def randomize(layer, seed=0, scale=SCALE):
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


def outputs(op, inputs, query=None, **masks):
    """What the operator gives, as a flat list of float32 arrays."""
    fused = op([ops.convert_to_tensor(x) for x in inputs], **(query or {}), **masks)
    return [ops.convert_to_numpy(ops.cast(y, "float32")) for y in tree.flatten(fused)]


def close(a, b, dtype="float32"):
    tolerance = TOLERANCES[dtype]
    return a.shape == b.shape and np.allclose(a, b, rtol=tolerance, atol=tolerance)
