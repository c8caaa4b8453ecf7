"""Trains a model of the library on all splits of a data set at once, on JAX."""

import json
from functools import lru_cache, partial

import jax
import jax.numpy as jnp
import keras
import numpy as np
from keras import ops

from benchmarks.blending import blended
from benchmarks.defaults_data import Part
from benchmarks.defaults_scaling import scaled
from keras_fusion.zoo import FusionClassifier

MASK = "modality_mask"
BATCH, EPOCHS, PATIENCE = 32, 100, 20
TRAINING = {"learning_rate": 1e-3, "weight_decay": 1e-2, "scale": "feature"}


def fit(splits: list[dict[str, Part]], arguments: dict) -> dict:
    """Trains with early stopping on each split's own validation rows.

    Args:
        splits: From `defaults_data.split`; as many training rows in each.
        arguments: Of `FusionClassifier`, and those of `TRAINING`. With `linear_path`
            the networks are blended.

    Returns:
        Lists over splits: `validation` accuracy and `loss` at the epoch of the least
        validation loss, whose weights are kept; `test`, their accuracy, and with each
        modality missing (their mean) `missing`; `epoch`; under `other stopping` the
        test accuracy by the best validation accuracy and after the last epoch.
    """
    training = {k: arguments.get(k, TRAINING[k]) for k in TRAINING}
    blend = arguments.get("linear_path", False)
    own = (*TRAINING, "linear_path")  # which trains nothing
    arguments = {k: v for k, v in arguments.items() if k not in own}
    prepared = [scaled(parts, training["scale"]) for parts in splits]
    data = {name: stacked([parts[name] for parts in prepared]) for name in splits[0]}
    classes = int(max(d["labels"].max() for d in data.values())) + 1
    inputs = data["train"]["inputs"].items()
    shapes = tuple((m, x.shape[2:]) for m, x in inputs if m != MASK)
    batch = min(BATCH, data["train"]["labels"].shape[1])
    made = compiled(shapes, classes, batch, json.dumps(arguments, sort_keys=True))
    if not blend:
        return _run(*made, data, training)
    return _blended(*made, prepared, data, training, classes)


@lru_cache(maxsize=1)
def compiled(shapes, classes, batch, arguments):
    """The model, and an epoch and the judging of it on all splits."""
    jax.clear_caches()
    keras.utils.clear_session()
    keras.utils.set_random_seed(0)
    arguments = json.loads(arguments)
    model = FusionClassifier(dict(shapes), classes, modality_mask=True, **arguments)
    model.compile(loss="sparse_categorical_crossentropy")
    epoch = jax.vmap(partial(one_epoch, model, batch), (None, 0, 0, 0, 0, None, 0))
    return model, jax.jit(epoch), jax.jit(jax.vmap(partial(_judge, model)))


def stacked(parts: list[Part]) -> dict:
    """Arrays with the splits in front; shorter parts repeat rows that do not count."""
    longest = max(len(p.labels) for p in parts)
    rows = [np.arange(longest) % len(p.labels) for p in parts]
    inputs = {
        m: np.stack([p.inputs[m][r] for p, r in zip(parts, rows)])
        for m in parts[0].inputs
    }
    mask = np.stack([~np.isnan(x).all(axis=-1) for x in inputs.values()], axis=-1)
    return {
        "inputs": {m: np.nan_to_num(x) for m, x in inputs.items()} | {MASK: mask},
        "labels": np.stack([p.labels[r] for p, r in zip(parts, rows)]),
        "counts": np.stack([np.arange(longest) < len(p.labels) for p in parts]),
    }


def trained(
    model, train_epoch, judge, data: dict, training: dict, epochs: int = EPOCHS
):
    """Trains on all splits with early stopping.

    Args:
        model, train_epoch, judge: From `compiled`.
        data: The parts, from `stacked`; `train` and `validation` among them.
        training: Values by the names of `TRAINING`.
        epochs: The most that there are.

    Returns:
        `(by_loss, by_accuracy, weights, state)`: `loss`, `validation`, `epoch` and
        `weights` where the validation loss was least and where its accuracy was
        highest, by split, and the last weights.
    """
    count = len(data["train"]["labels"])
    weights, state = first_weights(model, count)
    moments = [jnp.zeros_like(w) for w in weights], [jnp.zeros_like(w) for w in weights]
    train = jax.tree.map(jnp.asarray, data["train"])
    rates = {k: training[k] for k in ("learning_rate", "weight_decay")}
    by_loss = {"loss": np.full(count, np.inf), "weights": weights}
    by_accuracy = {"validation": np.full(count, -1.0), "weights": weights}
    for epoch in range(epochs):
        keys = jax.random.split(jax.random.key(epoch), count)
        carry = weights, state, moments
        carry = train_epoch(rates, *carry, keys, epoch, train)
        weights, state, moments = carry
        loss, validation = map(np.asarray, judge(weights, state, data["validation"]))
        now = {"loss": loss, "validation": validation, "weights": weights}
        now["epoch"] = np.full(count, epoch + 1)
        by_loss = _chosen(loss < by_loss["loss"], now, by_loss)
        higher = validation > by_accuracy["validation"]
        by_accuracy = _chosen(higher, now, by_accuracy)
        if (epoch + 1 - by_loss["epoch"] >= PATIENCE).all():
            break
    return by_loss, by_accuracy, weights, state


def _run(model, train_epoch, judge, data, training):
    by_loss, by_accuracy, weights, state = trained(
        model, train_epoch, judge, data, training
    )

    def test(weights, part=data["test"]):
        return np.asarray(judge(weights, state, part)[1])

    kept = by_loss.pop("weights")
    count = len(model.input) - 1
    missing = [test(kept, _without(data["test"], m)) for m in range(count)]
    stopping = {
        "validation accuracy": test(by_accuracy["weights"]).tolist(),
        "last": test(weights).tolist(),
    }
    return {k: np.round(x, 5).tolist() for k, x in by_loss.items()} | {
        "test": test(kept).tolist(),
        "missing": np.mean(missing, axis=0).tolist(),
        "other stopping": stopping,
        "parameters": model.count_params(),
    }


def _blended(model, train_epoch, judge, prepared, data, training, classes):
    by_loss, _, _, state = trained(model, train_epoch, judge, data, training)
    return blended(prepared, answering(model, by_loss["weights"], state), classes)


def answering(model, weights, state):
    """From one part of every split to what the network of each answers."""
    call = jax.vmap(lambda *x: model.stateless_call(*x, training=False)[0])
    call = jax.jit(call)
    return lambda parts: call(weights, state, stacked(parts)["inputs"])


def _chosen(better, now, before):
    """Of every split the newer where it is better."""

    def pick(x, y):
        return jnp.where(better.reshape(-1, *[1] * (x.ndim - 1)), x, y)

    return {
        k: [pick(*pair) for pair in zip(x, before[k])]
        if k == "weights"
        else np.where(better, x, before.get(k, x))
        for k, x in now.items()
    }


def first_weights(model, count):
    """Weights for every split, and the state that is not trained.

    The entries of a new weight are independent draws, so that another order of them is
    another draw; it costs no second model.
    """
    rng = np.random.default_rng(0)

    def drawn(variable):
        value = ops.convert_to_numpy(variable)
        return jnp.stack([rng.permuted(value.ravel()) for _ in range(count)]).reshape(
            count, *value.shape
        )

    weights = [drawn(v) for v in model.trainable_variables]
    fixed = [ops.convert_to_numpy(v) for v in model.non_trainable_variables]
    moved = [x.dtype.kind in "iu" for x in fixed]  # seeds
    state = [
        jnp.stack([x + i * is_seed for i in range(count)]).astype(x.dtype)
        for x, is_seed in zip(fixed, moved)
    ]
    return weights, state


def one_epoch(model, batch, rates, weights, state, moments, key, epoch, train):
    """One epoch of AdamW on one split."""
    rows = train["labels"].shape[0]
    steps = rows // batch
    order = jax.random.permutation(key, rows)[: batch * steps].reshape(steps, batch)

    def step(carry, indexed):
        weights, state, (first, second) = carry
        index, chosen = indexed
        inputs = {m: x[chosen] for m, x in train["inputs"].items()}
        labels = train["labels"][chosen]

        def objective(weights):
            outputs, new, added = model.stateless_call(
                weights, state, inputs, training=True, return_losses=True
            )
            return model.compute_loss(y=labels, y_pred=outputs) + sum(added), new

        gradients, state = jax.grad(objective, has_aux=True)(weights)
        time = epoch * steps + index + 1.0
        rate, decay = rates["learning_rate"], rates["weight_decay"]
        first = [0.9 * m + 0.1 * g for m, g in zip(first, gradients)]
        second = [0.999 * v + 0.001 * g * g for v, g in zip(second, gradients)]
        scale = jnp.sqrt(1 - 0.999**time) / (1 - 0.9**time)
        weights = [
            w - rate * (scale * m / (jnp.sqrt(v) + 1e-7) + decay * w)
            for w, m, v in zip(weights, first, second)
        ]
        return (weights, state, (first, second)), None

    carry = weights, state, moments
    return jax.lax.scan(step, carry, (jnp.arange(steps), order))[0]


def _judge(model, weights, state, part):
    outputs, _ = model.stateless_call(weights, state, part["inputs"], training=False)
    losses = ops.sparse_categorical_crossentropy(part["labels"], outputs)
    right = jnp.argmax(outputs, axis=-1) == part["labels"]
    counts = part["counts"]
    return jnp.mean(losses, where=counts), jnp.mean(right, where=counts)


def _without(part, m):
    """The rows of a part as if this modality had never been there."""
    mask = part["inputs"][MASK].copy()
    mask[..., m] = False
    return part | {"inputs": part["inputs"] | {MASK: mask}}
