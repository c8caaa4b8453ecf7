"""`model.fit` with the settings of `train`, against a hand-written compiled loop.

    python -m benchmarks.fit_overhead

The model is a FusionClassifier of six inputs as wide as those of mfeat, on noise.
Both sides train the same model with AdamW on whole shuffled batches gathered from the
same arrays: `fit` as `train` does it, from `Batches` and with an accuracy metric,
`loop` with nothing but the steps. The loop on TensorFlow is a `tf.function` by XLA, on
JAX one jitted stateless step with donated state, on torch eager (torch.compile takes
minutes for such a model) with torch's own optimizer in its fastest form, and beside it
with Keras' optimizer.
"""

import keras
import numpy as np

from benchmarks import compiled
from benchmarks.report import main, target
from benchmarks.timing import interleave, milliseconds, ratio

WIDTHS = {"fou": 76, "fac": 216, "kar": 64, "pix": 240, "zer": 47, "mor": 6}
BATCHES = (32, 256)
STEPS = 60
AT_MOST = {"jax": 1.2, "tensorflow": 1.5, "torch": 1.6}


def measure(arguments) -> list[dict]:
    """The rows of this process' backend; milliseconds are those of an epoch."""
    backend = keras.backend.backend()
    compiled.set_torch(arguments)
    steps, rounds = (4, 1) if arguments.quick else (STEPS, 7)
    rows = []
    for batch_size in BATCHES[: 1 if arguments.quick else None]:
        data = _batches(batch_size, steps)
        times = interleave(_cases(backend, data), rounds, block=0.0)
        overhead = ratio(times, "fit", "loop")
        ratios = {"fit / loop": target(overhead, at_most=AT_MOST[backend])}
        if "loop, Keras optimizer" in times:
            name = "loop, Keras optimizer"
            ratios[f"fit / {name}"] = target(ratio(times, "fit", name))
        case = f"FusionClassifier M={len(WIDTHS)} units=64 B={batch_size} steps={steps}"
        rows.append({"case": case, "ms": milliseconds(times), "ratios": ratios})
    return rows


def _batches(batch_size, steps):
    from keras_fusion.datasets import Split
    from keras_fusion.experiments.batches import Batches

    rng = np.random.default_rng(0)
    rows = batch_size * steps
    inputs = {
        n: rng.normal(size=(rows, w)).astype("float32") for n, w in WIDTHS.items()
    }
    labels = rng.integers(0, 10, rows).astype("int32")
    return Batches(Split(inputs, labels), _model(), batch_size, seed=0)


def _epoch(data):
    """What a loop written by hand reads: batches gathered in a random order."""
    order = np.random.permutation(len(data.labels))
    for i in range(0, len(order), data.batch_size):
        rows = order[i : i + data.batch_size]
        yield {name: x[rows] for name, x in data.inputs.items()}, data.labels[rows]


def _model():
    from keras_fusion.zoo import FusionClassifier

    return FusionClassifier({n: (w,) for n, w in WIDTHS.items()}, classes=10)


def _cases(backend, data):
    cases = {"fit": _fit(data)}
    if backend == "jax":
        return cases | {"loop": _jax_loop(data)}
    if backend == "tensorflow":
        return cases | {"loop": _tensorflow_loop(data)}
    return cases | {
        "loop": _torch_loop(data, keras_optimizer=False),
        "loop, Keras optimizer": _torch_loop(data, keras_optimizer=True),
    }


def _fit(data):
    from keras_fusion.experiments.compilation import fast_settings

    model = _model()
    model.compile(
        optimizer=keras.optimizers.AdamW(1e-3),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
        **fast_settings(len(data)),
    )
    return lambda: model.fit(data, verbose=0)


def _jax_loop(data):
    import jax

    model, optimizer = _trained()

    def loss(trainable, other, x, y):
        predicted, other = model.stateless_call(trainable, other, x, training=True)
        return _loss(y, predicted), other

    def step(state, x, y):
        trainable, other, slots = state
        (value, other), gradients = jax.value_and_grad(loss, has_aux=True)(
            trainable, other, x, y
        )
        trainable, slots = optimizer.stateless_apply(slots, gradients, trainable)
        return (trainable, other, slots), value

    step = jax.jit(step, donate_argnums=0)
    state = [
        [v.value + 0 for v in variables]  # copies: donated ones are gone
        for variables in (
            model.trainable_variables,
            model.non_trainable_variables,
            optimizer.variables,
        )
    ]

    def epoch():
        nonlocal state
        for x, y in _epoch(data):
            state, value = step(state, x, y)
        jax.block_until_ready((state, value))

    return epoch


def _tensorflow_loop(data):
    import tensorflow as tf

    model, optimizer = _trained()

    @tf.function(jit_compile=True)
    def step(x, y):
        with tf.GradientTape() as tape:
            value = _loss(y, model(x, training=True))
        gradients = tape.gradient(value, [v.value for v in model.trainable_variables])
        optimizer.apply(gradients, model.trainable_variables)
        return value

    def epoch():
        for x, y in _epoch(data):
            value = step(x, y)
        value.numpy()

    return epoch


def _torch_loop(data, keras_optimizer):
    import torch

    model, optimizer = _trained()
    weights = [v.value for v in model.trainable_variables]
    torchs = torch.optim.AdamW(weights, 1e-3, weight_decay=0.004, fused=True)

    def step(x, y):
        x = {name: torch.from_numpy(values) for name, values in x.items()}
        value = _loss(torch.from_numpy(y), model(x, training=True))
        for weight in weights:
            weight.grad = None
        value.backward()
        if keras_optimizer:
            with torch.no_grad():
                optimizer.apply([w.grad for w in weights], model.trainable_variables)
        else:
            torchs.step()

    def epoch():
        for x, y in _epoch(data):
            step(x, y)

    return epoch


def _trained():
    """A model and Keras' optimizer for it."""
    model = _model()
    optimizer = keras.optimizers.AdamW(1e-3)
    optimizer.build(model.trainable_variables)
    return model, optimizer


def _loss(y, predicted):
    losses = keras.losses.sparse_categorical_crossentropy(y, predicted)
    return keras.ops.mean(losses)


if __name__ == "__main__":
    main("fit_overhead", measure)
