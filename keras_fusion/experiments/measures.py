"""What is reported beside a task's first score, in numpy.

Each function takes labels and outputs of all rows. Classes that no row has are left
out of an average.
"""

import numpy as np

from keras_fusion.experiments.scores import in_the_middle, most_probable


def classification(labels, probabilities) -> dict[str, float]:
    """Measures of `(B, K)` probabilities, by name.

    `balanced accuracy` and `macro F1` count every class the same; `AUC` and `average
    precision` are means over the classes, each against the rest (of two classes: of
    the second). `log loss` and `ECE` (the expected calibration error over 15 equal
    bins of confidence; Guo et al. 2017) are better when lower. `largest class` is the
    accuracy of always naming the most frequent class.
    """
    found = np.argmax(probabilities, axis=-1)
    return {
        "balanced accuracy": balanced_accuracy(labels, probabilities),
        "macro F1": macro_f1(labels, probabilities),
        "AUC": auc(labels, probabilities),
        "average precision": average_precision(labels, probabilities),
        "log loss": log_loss(labels, probabilities),
        "ECE": calibration_error(found == labels, probabilities.max(axis=-1)),
        "largest class": float(np.bincount(labels).max() / len(labels)),
    }


def ordinal(labels, probabilities) -> dict[str, float]:
    """Measures of `(B, K)` probabilities of classes in an order, by name.

    `MAE of ranks` (better when lower) is how many classes the named one is off on
    average; `within one` is the share of rows where that is one or none; `accuracy` is
    that of the named class, and `ECE` compares it with the probability of this class.
    """
    found = in_the_middle(probabilities)
    off = np.abs(found - labels)
    confidence = probabilities[np.arange(len(found)), found]
    return {
        "MAE of ranks": float(off.mean()),
        "within one": float(np.mean(off <= 1)),
        "accuracy": float(np.mean(off == 0)),
        "log loss": log_loss(labels, probabilities),
        "ECE": calibration_error(found == labels, confidence),
        "largest class": float(np.bincount(labels).max() / len(labels)),
    }


def quadratic_kappa(labels, probabilities) -> float:
    """Cohen's kappa of classes in an order, weighted by the square of the distance.

    `1 - sum w O / sum w E`: observed pairs of true and named class against those that
    chance would pair, 0 where nothing could be off.

    Reference: Cohen, 1968, Weighted Kappa.
    """
    labels, found = np.asarray(labels), in_the_middle(probabilities)
    classes = np.arange(probabilities.shape[-1])
    shares = [np.mean(x[:, None] == classes, axis=0) for x in (labels, found)]
    expected = shares[0] @ np.square(classes[:, None] - classes) @ shares[1]
    observed = np.mean(np.square(labels - found))
    return float(1 - observed / expected) if expected else 0.0


def multilabel(labels, probabilities) -> dict[str, float]:
    """Measures of several labels at once, `(B, K)` of 0 and 1, by name.

    A label is found where its probability is over one half. `macro F1` and `AUC` are
    means over the labels, `micro F1` counts all of them together, `exact match` is the
    share of rows where all are right, and `log loss` (better when lower) is the mean of
    the binary cross-entropies.
    """
    there, found = np.asarray(labels) > 0, probabilities > 0.5
    certain = np.where(there, probabilities, 1 - probabilities).astype(np.float64)
    return {
        "macro F1": macro_f1_of_labels(labels, probabilities),
        "micro F1": _f1(there, found),
        "AUC": mean_auc(labels, probabilities),
        "exact match": float(np.mean((found == there).all(axis=1))),
        "log loss": float(-np.log(np.clip(certain, 1e-15, 1)).mean()),
    }


def mean_average_precision(labels, probabilities) -> float:
    """The mean over several labels, `(B, K)`, of `average_precision`."""
    return _of_each(_average_precision, labels, probabilities)


def mean_auc(labels, probabilities) -> float:
    """The mean over several labels, `(B, K)`, of the area under the ROC curve."""
    return _of_each(_auc, labels, probabilities)


def macro_f1_of_labels(labels, probabilities) -> float:
    """The mean over several labels, `(B, K)`, of F1 at one half."""
    return _of_each(_f1, labels, probabilities > 0.5)


def regression(labels, outputs) -> dict[str, float]:
    """`MAE` and `RMSE` of `(B, 1)` predictions, in the target's units."""
    errors = np.asarray(outputs[:, 0], np.float64) - labels
    return {
        "MAE": float(np.abs(errors).mean()),
        "RMSE": float(np.sqrt(np.square(errors).mean())),
    }


def balanced_accuracy(labels, probabilities) -> float:
    """The mean over classes of the share of their rows that is found."""
    found = np.argmax(probabilities, axis=-1)
    return float(np.mean([np.mean(found[labels == k] == k) for k in np.unique(labels)]))


def macro_f1(labels, probabilities, named=most_probable) -> float:
    """The mean over classes of 2 TP / (2 TP + FP + FN)."""
    found = named(probabilities)
    scores = []
    for k in np.union1d(labels, found):
        right = np.sum((labels == k) & (found == k))
        scores.append(2 * right / (np.sum(labels == k) + np.sum(found == k)))
    return float(np.mean(scores))


def auc(labels, probabilities) -> float:
    """Area under the ROC curve: how often a row of the class outranks another."""
    return _against_the_rest(_auc, labels, probabilities)


def average_precision(labels, probabilities) -> float:
    """The mean of the precision at every row of the class, ranked by probability."""
    return _against_the_rest(_average_precision, labels, probabilities)


def log_likelihood(labels, probabilities) -> float:
    """The mean logarithm of the true class's probability."""
    own = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    return float(np.log(np.clip(own, 1e-15, 1)).mean())


def log_loss(labels, probabilities) -> float:
    """Minus the `log_likelihood`."""
    return -log_likelihood(labels, probabilities)


def calibration_error(right, confidence, bins: int = 15) -> float:
    """Mean distance of confidence and accuracy over equal bins of confidence."""
    which = np.minimum((confidence * bins).astype(int), bins - 1)
    errors = [
        np.sum(which == b)
        * abs(right[which == b].mean() - confidence[which == b].mean())
        for b in np.unique(which)
    ]
    return float(np.sum(errors) / len(confidence))


def _against_the_rest(measure, labels, probabilities):
    classes = [1] if probabilities.shape[-1] == 2 else np.unique(labels)
    return float(np.mean([measure(labels == k, probabilities[:, k]) for k in classes]))


def _of_each(measure, labels, outputs):
    """The mean over the labels that some rows have and some have not."""
    own = np.asarray(labels) > 0
    told = [k for k in range(own.shape[1]) if 0 < own[:, k].sum() < len(own)]
    return float(np.mean([measure(own[:, k], outputs[:, k]) for k in told]))


def _f1(own, found):
    return float(2 * np.sum(own & found) / max(1, np.sum(own) + np.sum(found)))


def _auc(own, scores):
    """Of ranks, where equal scores share their mean rank; NaN where a side is empty."""
    _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks = (last - (counts - 1) / 2)[place]
    positive, negative = own.sum(), (~own).sum()
    if not positive or not negative:
        return np.nan
    least = positive * (positive + 1) / 2
    return (ranks[own].sum() - least) / (positive * negative)


def _average_precision(own, scores):
    """Rows of equal scores come in together; NaN where the class has no row."""
    order = np.argsort(-scores, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)
    found = np.cumsum(own[order])[ends]
    if not own.any():
        return np.nan
    return np.sum(np.diff(found, prepend=0) * found / (ends + 1)) / own.sum()
