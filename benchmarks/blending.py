"""The networks of all splits blended with a logistic regression each.

As `zoo.blend_linear` does it with one model, by the same parts of it.
"""

from collections.abc import Callable

import keras
import numpy as np

from benchmarks import defaults_baselines
from benchmarks.defaults_data import Part
from keras_fusion.datasets import modality_mask
from keras_fusion.layers import Blend
from keras_fusion.zoo.parts.linear_kinds import kind_of


def blended(splits: list[dict[str, Part]], network: Callable, classes: int) -> dict:
    """Records by split: accuracies, and the network's `share` where all is there.

    Args:
        splits: With features as they train.
        network: From one part of every split to probabilities `(S, B, K)`, by the
            network of each; B is that of the longest.
        classes: K.
    """
    gone = None, *splits[0]["train"].inputs
    parts = {
        (name, m): [_without(parts[name], m) for parts in splits]
        for name in ("validation", "test")
        for m in gone
    }
    answers = {key: np.asarray(network(found)) for key, found in parts.items()}
    records = {"validation": [], "test": [], "missing": [], "share": []}
    kind = kind_of(keras.activations.softmax)
    for k, split in enumerate(splits):
        train = split["train"]
        kernel, intercept = kind.fit(features(train), np.eye(classes)[train.labels])

        def both(name, m, k=k, kernel=kernel, intercept=intercept):
            part = parts[name, m][k]
            logits = features(part) @ kernel + intercept
            linear = keras.ops.convert_to_numpy(keras.ops.softmax(logits))
            own = answers[name, m][k][: len(part.labels)]
            return own, linear, part.labels, modality_mask(part.inputs)

        seen = zip(*[both("validation", m) for m in gone])
        own, linear, labels, mask = (np.concatenate(x) for x in seen)
        pairs = kind.weights(own, linear, np.eye(classes)[labels], mask)
        blend = Blend("softmax")
        blend.build([(None, classes)] * 2)
        blend.shares.assign(np.array(pairs))

        def right(name, m, both=both, blend=blend):
            own, linear, labels, mask = both(name, m)
            found = np.asarray(blend([own, linear], modality_mask=mask))
            return np.mean(found.argmax(axis=1) == labels)

        missing = np.mean([right("test", m) for m in gone[1:]])
        scores = right("validation", None), right("test", None), missing
        for record, score in zip(records.values(), scores):
            record.append(round(float(score), 5))
        records["share"].append(round(float(pairs[0][0] / sum(pairs[0])), 4))
    return records


def features(part: Part) -> np.ndarray:
    """All of them side by side, `(N, D)`, zeros where a modality is absent."""
    joined = defaults_baselines.joined(part, None)
    return np.nan_to_num(joined).astype(np.float64)


def _without(part, modality):
    return part if modality is None else defaults_baselines.without(part, modality)
