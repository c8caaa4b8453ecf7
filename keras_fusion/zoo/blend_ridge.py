import keras
import numpy as np

from keras_fusion.batching import prediction_batch
from keras_fusion.zoo.parts.deployable import heads_of
from keras_fusion.zoo.parts.heads import FUSED
from keras_fusion.zoo.parts.linear_path import path_of

STRENGTHS = np.logspace(-6, 2, 17)  # of the penalty, against a feature's mean square


def blend_ridge(model: keras.Model, inputs, targets, unseen, wanted) -> float | None:
    """Blends a trained model of numbers with a ridge regression of its inputs.

    On few rows, and where all is linear, a ridge regression predicts better than a
    network; elsewhere the network does; most often the best is in between. The model
    gives `w network + (1 - w) ridge` from here on, as one network still: the ridge
    regression goes into its linear path. The penalty is that of the least leave-one-out
    error, and `w` from 0 to 1 that of the least squared error on unseen rows.

    Args:
        model: Of `FusionClassifier` for regression, after `fit`.
        inputs: Of rows that train, as `model.predict` takes them: arrays by name, or a
            `PyDataset`. Some thousand rows are enough.
        targets: Their numbers, `(B,)` or `(B, 1)`.
        unseen, wanted: The same of rows that do not train.

    Returns:
        The share `w` of the network, or None where the model has no linear path and
        stays as it is.

    Example:

    >>> from keras_fusion.zoo import FusionClassifier
    >>> x = {"x": np.random.default_rng(0).normal(size=(40, 3))}
    >>> y = x["x"][:, 0] + 5
    >>> model = FusionClassifier({"x": 3}, classes=1, classifier_activation=None)
    >>> share = blend_ridge(model, x, y, x, y)
    >>> bool(np.abs(model.predict(x, verbose=0)[:, 0] - y).max() < 0.1)
    True

    References: Hoerl and Kennard, 1970, Ridge Regression: Biased Estimation for
    Nonorthogonal Problems. Breiman, 1996, Stacked Regressions.
    """
    path = path_of(model)
    if path is None:
        return None
    features = keras.Model(model.input, path.input)
    kernel, intercept = ridge(_outputs(features, inputs, targets), _column(targets))
    wanted = _column(wanted)
    linear = _outputs(features, unseen, wanted) @ kernel + intercept
    ahead = _outputs(model, unseen, wanted) - linear  # of the network
    square = max(np.square(ahead).sum(), np.finfo(float).tiny)
    share = float(np.clip((ahead * (wanted - linear)).sum() / square, 0, 1))
    mix(model, share, kernel, intercept)
    return share


def mix(model: keras.Model, share: float, kernel, intercept) -> None:
    """Makes the model `share` of itself, the rest this linear form of its inputs."""
    path, heads = path_of(model), heads_of(model)
    (own,) = path.get_weights()
    path.set_weights([share * own + (1 - share) * kernel])
    for head in [x for x in heads if x.name == FUSED] or heads:
        own, bias = head.get_weights()
        head.set_weights([share * own, share * bias + (1 - share) * intercept])


def ridge(features: np.ndarray, targets: np.ndarray):
    """The ridge regression with the least leave-one-out error among `STRENGTHS`.

    Args:
        features: `(N, D)` float64.
        targets: `(N, K)` float64.

    Returns:
        `(kernel, intercept)`, `(D, K)` and `(K,)`.
    """
    center, mean = features.mean(axis=0), targets.mean(axis=0)
    left, values, right = np.linalg.svd(features - center, full_matrices=False)
    turned = left.T @ (targets - mean)  # (R, K)
    unit = max(np.square(values).sum() / features.shape[1], np.finfo(float).tiny)
    best = np.inf
    for strength in STRENGTHS:
        shrunk = values / (np.square(values) + strength * unit)  # (R,)
        share = shrunk * values
        used = np.square(left) @ share + 1 / len(left)  # of itself, for each row
        errors = targets - mean - left @ (share[:, None] * turned)
        error = np.square(errors / np.maximum(1 - used, 1e-9)[:, None]).sum()
        if error < best:
            best, kernel = error, right.T @ (shrunk[:, None] * turned)
    return kernel, mean - center @ kernel


def _column(targets):
    return np.asarray(targets, np.float64).reshape(len(targets), -1)


def _outputs(model, inputs, targets):
    """`(B, ...)` float64; what fills up a last batch is left out."""
    batch = prediction_batch(inputs) if isinstance(inputs, dict) else None
    found = model.predict(inputs, batch_size=batch, verbose=0)[: len(targets)]
    return found.astype(np.float64)
