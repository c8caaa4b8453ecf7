"""What each number, word or column of one modality contributed to a prediction."""

from typing import NamedTuple

import keras
import numpy as np
from keras import ops

from keras_fusion.attribution.scaled_tokens import first_tokens, scaled
from keras_fusion.common.batching import prediction_batch
from keras_fusion.common.errors import InputError
from keras_fusion.common.gradients import with_gradients
from keras_fusion.common.names import MASK
from keras_fusion.zoo.parts.inputs import check_inputs

_NEARLY = 1e-6  # of the way: where a token is all zeros it is padding, and not there


class Integrated(NamedTuple):
    """Contributions inside a modality; `base` and the sum of a row make `whole`.

    Attributes:
        values: `(B, ...)` float64 in the shape of the modality; of words and of the
            columns of a table `(B, T)`, one for each.
        base: `(B,)`, the output with the modality at its baseline.
        whole: `(B,)`, the output itself.
        error: `(B,)`, how far `base` and the values are from `whole`: more steps make
            it smaller.
        target: `(B,)`, the number of the output that it is about.
    """

    values: np.ndarray
    base: np.ndarray
    whole: np.ndarray
    error: np.ndarray
    target: np.ndarray


def integrated_gradients(
    model: keras.Model,
    inputs: dict,
    modality: str,
    *,
    target=None,
    output: str | None = None,
    baseline: float | np.ndarray = 0.0,
    steps: int = 32,
) -> Integrated:
    """How much of an output comes from each part of one modality, the others as given.

    `(x - x') * integral_0^1 dF/dx (x' + a (x - x')) da`: the gradients on the way from
    a baseline x' to the input x, by Gauss and Legendre's rule in the cube root of a,
    since normalizations change most near zeros. What the modality moves the output by,
    from the baseline on, is the sum of its values (completeness).

    Where the modality is looked up, as words and the columns of a table are, the way
    leads from zeros to the vectors that were looked up, and a word or a column has the
    sum over its vector.

    Args:
        model: A model with named inputs, such as one of the zoo or `zoo.deployable`.
        inputs: `(B, ...)` arrays by modality. `modality_mask` `(B, M)` says what is
            there (left out: everything); values of an absent modality are 0.
        modality: The one to look into.
        target: Number of the output, one or `(B,)`; None takes the largest of a row.
        output: Name of the output, where the model gives several.
        baseline: What broadcasts to `(B, ...)`: 0 is the mean of standardized numbers;
            a model of raw numbers needs another. A number that is missing counts as its
            baseline. Of words and columns it is not asked.
        steps: Points on the way, each a call of the model with its gradient.

    Returns:
        `Integrated`.

    Raises:
        ValueError: If an input is missing or unknown, there is no such modality or
            output, the output is a map, or the modality is codes that no layer of the
            library looks up.

    Example:

    >>> a, b = keras.Input((2,), name="a"), keras.Input((2,), name="b")
    >>> product = keras.Model({"a": a, "b": b}, ops.sum(a * b, axis=1, keepdims=True))
    >>> rows = {"a": np.array([[1.0, 2.0]]), "b": np.array([[3.0, 4.0]])}
    >>> integrated_gradients(product, rows, "a").values.round(3).tolist()
    [[3.0, 8.0]]

    Reference: Sundararajan, Taly and Yan, 2017, Axiomatic Attribution for Deep
    Networks.
    """
    rows = _complete(model, inputs, modality)
    count = len(rows[modality])
    size, parts = prediction_batch(rows), []
    path = _Path(model, rows, modality, output, steps)
    for start in range(0, count, size):
        some = slice(start, start + size)
        chosen = None if target is None else np.broadcast_to(target, count)[some]
        whole = np.broadcast_to(baseline, rows[modality].shape)[some]
        parts.append(path.walk({n: x[some] for n, x in rows.items()}, whole, chosen))
    return Integrated(*(np.concatenate(x) for x in zip(*parts)))


class _Path:
    """The way from a baseline to an input, and what the model answers on it."""

    def __init__(self, model, rows, modality, output, steps):
        self.model, self.modality, self.output = model, modality, output
        nodes, weights = np.polynomial.legendre.leggauss(steps)
        nodes, weights = (nodes + 1) / 2, weights / 2
        # Most places are near the baseline, where a normalization makes the way steep.
        self.places, self.weights = nodes**3, 3 * nodes**2 * weights
        self.tokens = first_tokens(model, modality)
        if self.tokens is None and not rows[modality].dtype.kind == "f":
            raise InputError(
                f"{modality!r} holds {rows[modality].dtype} codes, between which there "
                "is no way, and no layer of the library looks them up first."
            )
        self.run = with_gradients(self._chosen)

    def walk(self, rows, baseline, target):
        """Values, base, whole, error and target of some rows."""
        start, end, rows = self._ends(rows, baseline)
        if target is None:
            answer = self._answer(ops.convert_to_tensor(end), rows)
            target = ops.convert_to_numpy(answer).argmax(axis=-1)
        others = rows | {_TARGET: np.asarray(target, "int32")}
        whole, _ = self._ask(end, others)
        base, _ = self._ask(start + _NEARLY * (end - start), others)
        values = np.zeros(end.shape)
        for place, weight in zip(self.places, self.weights):
            _, slopes = self._ask(start + place * (end - start), others)
            values += weight * (end - start) * slopes
        added = values.reshape(len(values), -1).sum(axis=1)
        return values, base, whole, np.abs(whole - base - added), others[_TARGET]

    def _ends(self, rows, baseline):
        """Where the way begins and ends, and the inputs beside it."""
        x = rows[self.modality]
        if self.tokens is not None:
            scales = np.ones((len(x), self.tokens.count(x)), "float32")
            return np.zeros_like(scales), scales, rows
        x = np.where(np.isnan(x), baseline, x).astype("float32")
        others = {name: y for name, y in rows.items() if name != self.modality}
        return np.asarray(baseline, "float32"), x, others

    def _answer(self, place, rows):
        rows = {name: ops.convert_to_tensor(x) for name, x in rows.items()}
        if self.tokens is None:
            found = self.model(rows | {self.modality: place}, training=False)
        else:
            with scaled(self.tokens.layer, place):
                found = self.model(rows, training=False)
        found = _of(found, self.output)
        if len(found.shape) != 2:
            raise InputError(
                "integrated_gradients is for outputs (B, K); received shape "
                f"{tuple(found.shape)}."
            )
        return found

    def _ask(self, place, others):
        """What the model answers at a place of the way `(B,)`, and its slopes."""
        found, (slopes,) = self.run([np.asarray(place, "float32")], others=others)
        return ops.convert_to_numpy(found), slopes

    def _chosen(self, places, others):
        (place,) = places
        rows = {name: x for name, x in others.items() if name != _TARGET}
        found = self._answer(place, rows)
        which = ops.one_hot(others[_TARGET], found.shape[-1], dtype=found.dtype)
        found = ops.sum(found * which, axis=-1)
        return ops.sum(found), found


_TARGET = "the target of integrated gradients"  # the name of no input


def _complete(model, inputs, modality):
    """The inputs as arrays, with a mask that knows of rows that are all NaN."""
    rows = {name: np.asarray(x) for name, x in inputs.items()}
    if modality not in rows or modality not in model.input or modality == MASK:
        known = [name for name in model.input if name != MASK]
        raise InputError(f"Expected a modality of {known}; received {modality!r}.")
    names = [name for name in model.input if name != MASK]
    if MASK in model.input:
        count = len(rows[modality])
        there = rows.get(MASK, np.ones((count, len(names)), bool)).astype(bool).copy()
        x = rows[modality]
        if x.dtype.kind == "f":
            there[:, names.index(modality)] &= ~np.isnan(x.reshape(count, -1)).all(1)
        rows[MASK] = there
    check_inputs(model, rows)
    return rows


def _of(found, output):
    if not isinstance(found, dict):
        return found
    if output is None and len(found) == 1:
        (output,) = found
    if output not in found:
        raise InputError(
            f"Expected `output` to be one of {list(found)}; received {output!r}."
        )
    return found[output]
