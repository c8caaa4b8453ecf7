"""Scores of outputs against labels; higher is better unless it says error."""

import numpy as np
from keras import ops

from keras_fusion import survival
from keras_fusion.common.names import IGNORED
from keras_fusion.ops import median_class


def most_probable(outputs) -> np.ndarray:
    """`(B,)`: the number of the class that `(B, K)` probabilities name."""
    return np.argmax(outputs, axis=-1)


def in_the_middle(outputs) -> np.ndarray:
    """`(B,)`: the same where classes have an order, their `median_class`."""
    return ops.convert_to_numpy(median_class(outputs))


def accuracy(labels, outputs, named=most_probable) -> float:
    """Share of rows whose class is the one that `(B, K)` probabilities name."""
    return float(np.mean(named(outputs) == labels))


def r_squared(labels, outputs) -> float:
    """R^2 of `(B, 1)` predictions."""
    residual = np.sum(np.square(labels - outputs[:, 0]))
    return float(1 - residual / np.sum(np.square(labels - np.mean(labels))))


def concordance(labels, outputs) -> float:
    """The concordance of `(B, 2)` times and events; one half where no pair is known.

    Args:
        labels: Time and event of each row.
        outputs: `(B, 1)` risks, or `(B, K)` probabilities of intervals.
    """
    found = survival.concordance(labels[:, 0], labels[:, 1], outputs)
    return 0.5 if np.isnan(found) else float(found)


def foreground_iou(masks, logits) -> float:
    """Intersection over union of the foreground, of all pixels of all images together.

    Args:
        masks: `(B, H, W)` of 0, 1, and 255 for pixels that do not count.
        logits: `(B, H, W, 1)`, foreground where positive.
    """
    found, there = (logits[..., 0] > 0) & (masks != IGNORED), masks == 1
    return float(np.sum(found & there) / max(1, np.sum(found | there)))


def mean_iou(masks, outputs) -> float:
    """Mean over the classes that occur of their intersection over union.

    Args:
        masks: `(B, H, W)` class numbers, 255 for pixels that do not count.
        outputs: `(B, H, W, K)` logits or probabilities.
    """
    found = np.where(masks == IGNORED, IGNORED, np.argmax(outputs, axis=-1))
    unions = [np.sum((found == k) | (masks == k)) for k in range(outputs.shape[-1])]
    both = [np.sum((found == k) & (masks == k)) for k in range(outputs.shape[-1])]
    return float(np.mean([b / u for b, u in zip(both, unions) if u]))


def saliency_measures(masks, logits) -> dict[str, float]:
    """What the field reports of salient object detection, by its own definitions.

    Args:
        masks: `(B, H, W)` of 0, 1, and 255 for pixels that are set to background in
            masks and predictions, since these measures know no others.
        logits: `(B, H, W, 1)` of the foreground.

    Returns:
        `MAE` (mean absolute error, lower is better), `max F`, `max E` and `S`. As is
        usual, every prediction is stretched to its own range first.

    Raises:
        ImportError: If PySODMetrics is not installed.
    """
    try:
        import py_sod_metrics
    except ImportError as error:
        raise ImportError(
            'Saliency is measured by PySODMetrics: pip install "keras-fusion[metrics]".'
        ) from error
    measures = {
        "MAE": py_sod_metrics.MAE(),
        "F": py_sod_metrics.FmeasureV2({"F": _f_measure(py_sod_metrics)}),
        "E": py_sod_metrics.Emeasure(),
        "S": py_sod_metrics.Smeasure(),
    }
    there = 1 / (1 + np.exp(-np.asarray(logits[..., 0], np.float64)))
    there = np.where(masks == IGNORED, 0, there)
    for prediction, mask in zip(np.round(255 * there).astype(np.uint8), masks):
        for measure in measures.values():
            measure.step(prediction, np.uint8(255) * (mask == 1))
    found = {name: measure.get_results() for name, measure in measures.items()}
    return {
        "MAE": float(found["MAE"]["mae"]),
        "max F": float(found["F"]["F"]["dynamic"].max()),
        "max E": float(found["E"]["em"]["curve"].max()),
        "S": float(found["S"]["sm"]),
    }


def _f_measure(metrics):
    """Of every threshold, precision counting more than recall, as in the field."""
    return metrics.FmeasureHandler(with_adaptive=False, with_dynamic=True, beta=0.3)
