"""What a person would use otherwise, on the splits of the study of defaults.

They are not those of `experiments.classical`: here validation chooses the strength of
the linear model, and the best single modality is a linear model, too.
"""

import warnings
from functools import partial

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.defaults_data import Part

STRENGTHS = (0.01, 0.1, 1.0, 10.0)  # of a linear model, chosen on validation


def linear_model(parts: dict[str, Part], modalities=None):
    """A logistic regression of all features; `(validation accuracy, predict)`."""
    rows, labels = joined(parts["train"], modalities), parts["train"].labels
    fitted = []
    for strength in STRENGTHS:
        model = make_pipeline(
            SimpleImputer(keep_empty_features=True),
            StandardScaler(),
            LogisticRegression(C=strength, max_iter=300),
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            fitted.append(model.fit(rows, labels))
    return max((_judged(m, parts, modalities) for m in fitted), key=lambda x: x[0])


def gradient_boosting(parts: dict[str, Part]):
    """Boosted trees of all features; `(validation accuracy, predict)`."""
    model = HistGradientBoostingClassifier(random_state=0)
    rows = joined(parts["train"], None)
    return _judged(model.fit(rows, parts["train"].labels), parts, None)


def best_single(parts: dict[str, Part]):
    """The linear model of the modality that validates best."""
    alone = [linear_model(parts, [m]) for m in parts["train"].inputs]
    return max(alone, key=lambda x: x[0])


BASELINES = {
    "best single modality, linear": best_single,
    "linear model": linear_model,
    "gradient boosting": gradient_boosting,
}


def fit(splits: list[dict[str, Part]], name: str) -> dict:
    """The records of a baseline, as `defaults_training.fit` has them for a model."""
    found = {"validation": [], "test": [], "missing": []}
    for parts in splits:
        validation, predict = BASELINES[name](parts)
        test = parts["test"]
        gaps = [without(test, modality) for modality in test.inputs]
        missing = np.mean([accuracy(predict, part) for part in gaps])
        scores = validation, accuracy(predict, test), missing
        for scored, score in zip(found.values(), scores):
            scored.append(round(float(score), 5))
    return found


def joined(part: Part, modalities) -> np.ndarray:
    """Features side by side, `(N, D)`."""
    chosen = modalities or part.inputs
    return np.concatenate([part.inputs[m] for m in chosen], axis=1)


def without(part: Part, modality: str) -> Part:
    """The same rows, as if this modality were missing."""
    gap = np.full(part.inputs[modality].shape, np.nan)
    return Part(part.inputs | {modality: gap}, part.labels)


def accuracy(predict, part: Part) -> float:
    return np.mean(predict(part) == part.labels)


def _judged(model, parts, modalities):
    predict = partial(_predict, model, modalities)
    return accuracy(predict, parts["validation"]), predict


def _predict(model, modalities, part):
    return model.predict(joined(part, modalities))
