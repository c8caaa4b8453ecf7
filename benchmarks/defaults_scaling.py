"""The features of a split on the scale that a study asks for."""

import numpy as np

from benchmarks.defaults_data import Part
from keras_fusion.datasets import modality_mask
from keras_fusion.datasets.scale_choice import AUTO, chosen


def scaled(parts: dict[str, Part], scale: str) -> dict[str, Part]:
    """The parts on this scale, by the training rows; zeros in place of single NaN.

    `"auto"` chooses as `datasets.load` does, modality by modality.
    """
    result = {name: Part({}, part.labels) for name, part in parts.items()}
    scales = (
        _scales(parts) if scale == AUTO else dict.fromkeys(parts["train"].inputs, scale)
    )
    for m, x in parts["train"].inputs.items():
        transform = _transform(x, scales[m])
        for name, part in parts.items():
            result[name].inputs[m] = _filled(part.inputs[m], transform)
    return result


def _scales(parts):
    both = parts["train"], parts["validation"]
    inputs = {
        m: np.concatenate([part.inputs[m] for part in both]) for m in both[0].inputs
    }
    labels = np.concatenate([part.labels for part in both])
    rows = np.split(np.arange(len(labels)), [len(both[0].labels)])
    wanted, present = dict.fromkeys(inputs, AUTO), modality_mask(inputs)
    return chosen(wanted, inputs, present, labels, int(labels.max()) + 1, *rows)[0]


def _transform(x, scale):
    if scale == "quantile":
        from sklearn.preprocessing import QuantileTransformer

        count = min(len(x), 200)
        quantiles = QuantileTransformer(n_quantiles=count, output_distribution="normal")
        fitted = quantiles.fit(x)
        return lambda x: np.clip(fitted.transform(x), -3, 3)  # beyond what is seen
    mean, std = np.nanmean(x, axis=0), np.nanstd(x, axis=0)
    if scale == "none":
        mean, std = 0, 1
    elif scale == "modality":
        std = np.sqrt(np.mean(np.square(std))) or 1
    else:
        std = np.where(std > 0, std, 1)
    return lambda x: (x - mean) / std


def _filled(x, transform):
    absent = np.isnan(x).all(axis=-1, keepdims=True)
    filled = np.nan_to_num(transform(np.where(absent, 0, x).astype("float64")))
    return np.where(absent, np.nan, filled).astype("float32")
