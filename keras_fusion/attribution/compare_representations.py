"""How alike the modalities' encodings are, and what of them is left after fusion."""

from typing import NamedTuple

import keras
import numpy as np

from keras_fusion.attribution.worth import presence_of
from keras_fusion.common.errors import InputError
from keras_fusion.common.names import EDGES, MASK
from keras_fusion.layers import Fusion
from keras_fusion.zoo.parts.inputs import check_inputs


class Similarities(NamedTuple):
    """Linear CKA, from 0 (nothing in common) to 1 (equal up to rotation and scale).

    Attributes:
        before: `(M, M)` float64, between the encodings that the first fusion takes.
        fused: `(M,)`, between each of them and what the last fusion gives: a modality
            that the model ignores is near 0.
        modalities: Names in the order of M.
    """

    before: np.ndarray
    fused: np.ndarray
    modalities: tuple[str, ...]


def compare_representations(model: keras.Model, inputs: dict) -> Similarities:
    """Compares the encodings of a model's modalities with each other and when fused.

    Each comparison is over the rows where the modalities that it is about are present.

    Args:
        model: A zoo model that fuses by an operator, such as a `FusionClassifier`.
        inputs: The model's inputs by name, arrays of B rows; many more rows than
            features, since CKA is biased upwards on few.

    Returns:
        `Similarities`.

    Raises:
        ValueError: If the model has no such fusion, takes a graph, or an input is
            missing or unknown.

    Reference: Kornblith, Norouzi, Lee and Hinton, 2019, Similarity of Neural Network
    Representations Revisited.
    """
    check_inputs(model, inputs)
    streams, fused = _around_fusion(model)
    names = tuple(name for name in model.input if name != MASK)
    found = keras.Model(model.input, [*streams, fused]).predict(inputs, verbose=0)
    *encoded, fused = (np.asarray(x) for x in found)
    present = presence_of(inputs, names)  # (B, M)
    count = len(names)
    before = np.ones((count, count))
    for i in range(count):
        for j in range(i):
            rows = present[:, i] & present[:, j]
            alike = linear_cka(encoded[i][rows], encoded[j][rows])
            before[i, j] = before[j, i] = alike
    after = [linear_cka(x[p], fused[p]) for x, p in zip(encoded, present.T)]
    return Similarities(before, np.array(after), names)


def linear_cka(x, y) -> float:
    """Linear centered kernel alignment of two representations of the same rows.

    `|X' Y|^2 / (|X' X| |Y' Y|)` of centered X and Y, in Frobenius norms.

    Args:
        x, y: `(B, ...)` and `(B, ...)` arrays; a row's features are flattened.

    Returns:
        From 0 to 1; 0 where one of them is the same in all rows.

    Raises:
        ValueError: If they differ in their number of rows.
    """
    if len(x) != len(y):
        raise InputError(f"Expected as many rows of both; received {len(x)}, {len(y)}.")
    # of (B, B) kernels: a map has more features than there are rows
    a, b = (_centered_kernel(z) for z in (x, y))
    scale = np.linalg.norm(a) * np.linalg.norm(b)
    return float(np.sum(a * b) / scale) if scale > 0 else 0.0


def _centered_kernel(x):
    x = np.asarray(x, np.float64).reshape(len(x), -1)
    x = x - x.mean(axis=0) if len(x) else x
    return x @ x.T


def _around_fusion(model):
    """The tensors that the first fusion takes, and the one that the last gives."""
    blocks = [x for x in model.layers if isinstance(x, Fusion)]
    if not blocks or EDGES & set(model.input):
        raise InputError(
            f"Expected a zoo model of independent rows that fuses by an operator; "
            f"{model.name} does not."
        )
    first, last = blocks[0], blocks[-1]
    streams = first.input[: first.num_modalities]
    fused = last.output
    return streams, fused[0] if isinstance(fused, (list, tuple)) else fused
