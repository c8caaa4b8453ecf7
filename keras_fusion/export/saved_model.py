"""Writes a model as a SavedModel; needs the TensorFlow backend."""

from pathlib import Path

import keras

from keras_fusion.common.errors import InputError
from keras_fusion.common.names import CONTRIBUTIONS, EDGES, EMBEDDING, MEDIAN, RAW
from keras_fusion.export.contributions import contributions_of
from keras_fusion.export.raw_columns import signature
from keras_fusion.export.reading import CLASSES, NO_CLASS
from keras_fusion.export.signatures import Signature, classes_output, signatures_of


def write(
    model: keras.Model,
    folder: str | Path,
    *,
    labels: list[str] | None = None,
    xla_batches: tuple[int, ...] = (),
    raw: tuple[str, str] | None = None,
    contributions: bool = False,
) -> None:
    """Writes the SavedModel of every signature of a prepared model.

    Args:
        model: A functional model with a dict of named inputs.
        folder: Gets `saved_model.pb` and `variables`.
        labels: One per class: gives the output `classes` `(B,)`, text, which is empty
            where a row's numbers are not all finite.
        xla_batches: Batch sizes to compile by XLA. A batch is padded to the next of
            them; one that is larger than all is not compiled.
        raw: Module and file of `RawColumns`, for the signature that takes them.
        contributions: Whether to write the signature of them.
    """
    archive = keras.export.ExportArchive()
    archive.track(model)
    known = compiled(model, labels, xla_batches)
    if contributions:
        known[CONTRIBUTIONS] = contributions_of(model)
    if raw:
        known[RAW], resources = signature(model, *raw)
        if labels and (output := classes_output(model, labels)):
            inputs, answer = known[RAW]
            known[RAW] = Signature(inputs, _with_classes(answer, output, labels))
        for resource in resources:
            archive.track(resource)
    for key, (inputs, answer) in known.items():
        specs = {
            name: keras.InputSpec(dtype=x.dtype, shape=x.shape, name=name)
            for name, x in inputs.items()
        }
        archive.add_endpoint(key, answer, input_signature=[specs])
    archive.write_out(str(folder), verbose=False)


def compiled(
    model: keras.Model,
    labels: list[str] | None = None,
    xla_batches: tuple[int, ...] = (),
) -> dict[str, Signature]:
    """`signatures_of` as TensorFlow computes them, with labels and XLA where asked."""
    known = signatures_of(model)
    output = classes_output(model, labels) if labels else None
    for key, (inputs, answer) in known.items():
        if xla_batches:
            answer = _in_buckets(answer, sorted(xla_batches))
        if output and not key.startswith(EMBEDDING):  # XLA knows no text: outside it
            answer = _with_classes(answer, output, labels)
        known[key] = Signature(inputs, answer)
    return known


def check_batches(model: keras.Model, xla: bool) -> None:
    """Raises a ValueError if the model cannot be asked in batches of a given size.

    Args:
        model: A functional model with a dict of named inputs.
        xla: Whether XLA is to compile each size, which must leave no other axis free.
    """
    if any(name in model.input for name in EDGES):
        raise InputError(
            "A graph is asked as a whole, not in batches: leave out warmup_batches and "
            "xla_batches."
        )
    free = [name for name, x in model.input.items() if None in x.shape[1:]]
    text = [name for name, x in model.input.items() if x.dtype == "string"]
    if xla and (free or text):
        raise InputError(
            "xla_batches needs inputs of numbers with no free axis but the batch, "
            "since XLA compiles every size anew; leave it out for "
            f"{', '.join(free + text)}."
        )


def _with_classes(answer, output, labels):
    import tensorflow as tf

    def named(tensors):
        outputs = answer(tensors)
        scores = outputs[output]
        best = tf.argmax(scores, axis=-1)
        if MEDIAN in outputs:
            best = tf.cast(outputs[MEDIAN], best.dtype)
        # Of NaN the comparison is false, too, in every runtime.
        finite = tf.reduce_all(tf.abs(scores) <= scores.dtype.max, axis=-1)
        best = tf.where(finite, best, len(labels))
        return {**outputs, CLASSES: tf.gather(tf.constant([*labels, NO_CLASS]), best)}

    return named


def _in_buckets(answer, sizes):
    import tensorflow as tf

    jitted = tf.function(answer, jit_compile=True)

    def padded(tensors, rows, size):
        full = {}
        for name, x in tensors.items():
            below = [[0, size - rows]] + [[0, 0]] * (len(x.shape) - 1)
            full[name] = tf.ensure_shape(tf.pad(x, below), [size, *x.shape[1:]])
        return {name: x[:rows] for name, x in jitted(full).items()}

    def answer_by_size(tensors):
        rows = tf.shape(next(iter(tensors.values())))[0]
        branches = [lambda size=size: padded(tensors, rows, size) for size in sizes]
        smaller = tf.reduce_sum(tf.cast(tf.constant(sizes) < rows, "int32"))
        return tf.switch_case(smaller, [*branches, lambda: answer(tensors)])

    return answer_by_size
