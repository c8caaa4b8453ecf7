"""What a person would use without neural networks, on all modalities side by side."""

import time
import warnings

import numpy as np
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from keras_fusion.datasets import Dataset
from keras_fusion.experiments.classical import BOOSTING, LINEAR, outputs_of
from keras_fusion.experiments.tasks import task_of

MOST = 2**27  # numbers; pictures in full size are nothing for these models
ROUNDS, STEP = 200, 10  # of boosting


def judge(data: Dataset, seconds: float) -> dict[str, dict]:
    """A linear model and gradient boosting, by their validation scores.

    The linear model is logistic or ridge regression of standardized features, missing
    values replaced by their mean. Boosting goes on until validation has not become
    better for ten rounds, 200 rounds are done, or the time is over.

    Args:
        data: Of rows with one label each; else there is none.
        seconds: For boosting.

    Returns:
        `score`, that of the task as the trials have it, and `seconds` by name.
    """
    parts = data.train, data.validation
    numbers = sum(x.size for x in data.train.inputs.values())
    if data.train.labels.ndim > 1 or numbers > MOST:
        return {}
    (x, y), (x_new, y_new) = ((_flat(part.inputs), part.labels) for part in parts)
    classifies = bool(data.class_names)
    task, outputs = task_of(data), outputs_of(data)

    def score(model):
        return float(task.score(y_new, outputs(model, x_new)))

    began = time.perf_counter()
    found = {LINEAR: _entry(score(_linear(classifies, x, y)), began)}
    began = time.perf_counter()
    found[BOOSTING] = _entry(_boosted(x, y, score, classifies, seconds), began)
    return found


def _linear(classifies, x, y):
    linear = LogisticRegression(max_iter=300) if classifies else Ridge()
    fill = SimpleImputer(keep_empty_features=True)
    with warnings.catch_warnings():  # what 300 steps find is good enough
        warnings.simplefilter("ignore", ConvergenceWarning)
        return make_pipeline(fill, StandardScaler(), linear).fit(x, y)


def _boosted(x, y, score, classifies, seconds):
    kind = (
        HistGradientBoostingClassifier if classifies else HistGradientBoostingRegressor
    )
    model = kind(max_iter=1, warm_start=True, early_stopping=False, random_state=0)
    until, best = time.perf_counter() + seconds, -np.inf
    for rounds in (1, *range(STEP, ROUNDS + 1, STEP)):
        found = score(model.set_params(max_iter=rounds).fit(x, y))
        if time.perf_counter() > until or found <= best:
            return max(best, found)
        best = found
    return best


def _flat(inputs):
    return np.concatenate([x.reshape(len(x), -1) for x in inputs.values()], axis=1)


def _entry(score, began):
    return {"score": score, "seconds": round(time.perf_counter() - began, 3)}
