"""What a person would try first: boosting and a linear model on all columns."""

import copy
import importlib.util
import time
import warnings
from collections.abc import Callable

import numpy as np

from keras_fusion.datasets import Dataset, Split
from keras_fusion.datasets.asked import OF_TIMES
from keras_fusion.datasets.columns import text
from keras_fusion.experiments import linear_cox
from keras_fusion.experiments.batches import reads_files
from keras_fusion.experiments.tasks import task_of

BOOSTING, LINEAR = "gradient boosting", "linear model"
MOST = 4096  # features: beyond, trees take longer than the networks they stand beside
LABELS = 50  # at once: each has models of its own
WORDS = 1000  # of a text, the most frequent ones
ROUNDS, STEP = 200, 10  # of boosting, where the time is short


def refusal(data: Dataset) -> str | None:
    """A sentence that says why there are no such models of these data, if so.

    They need scikit-learn, labels of rows and not of pixels, rows in memory, at most
    `MOST` features, which pictures exceed, and at most `LABELS` labels at once.
    """
    reason = None
    if importlib.util.find_spec("sklearn") is None:
        reason = 'scikit-learn is missing: pip install "keras-fusion[baselines]"'
    elif data.train.labels.ndim > 2:
        reason = "pixels have labels here"
    elif reads_files(data.train.inputs):
        reason = "the files are read batch by batch"
    elif data.task == "multilabel" and data.classes > LABELS:
        reason = f"{data.classes:,} labels at once are more than {LABELS}"
    elif _width(data) > MOST:
        reason = f"a row has {_width(data):,} features, more than {MOST:,}"
    if reason is None:
        return None
    return f"gradient boosting and a linear model are not compared with: {reason}"


def without_boosting(data: Dataset) -> str | None:
    """A sentence that says why a linear model is all that there is, if so."""
    if data.task not in OF_TIMES:
        return None
    return (
        "gradient boosting is not compared with: scikit-learn's takes no times of rows "
        "whose event has not happened yet; the linear model is Cox'"
    )


def fitted(data: Dataset, seed: int) -> dict:
    """Functions `Split -> outputs` by name, fitted to the training rows.

    Both see the encoded columns of all modalities beside each other, with a text as
    TF-IDF of its `WORDS` most frequent words. An absent modality is missing to the
    trees; the linear model sees zeros and a flag. Of several labels at once each has a
    model of its own. Outputs are as those of a network: `(B, K)` probabilities, or
    `(B, 1)` numbers or risks. Of times there is Cox' linear model alone.

    Returns:
        Nothing where there is a `refusal`.
    """
    return {name: fit() for name, fit in to_fit(data, seed).items()}


def to_fit(data: Dataset, seed: int, seconds: float | None = None) -> dict:
    """What fits each of them, by name: functions without argument.

    Args:
        data: Of which the training rows are fitted to.
        seed: Of the trees.
        seconds: None fits as long as it takes, boosting for scikit-learn's own 100
            rounds. Else it goes on until validation has not become better for ten
            rounds, 200 rounds are done, or so many seconds are over; of several labels
            at once there is none then, since each would take that long.
    """
    if refusal(data):
        return {}
    columns = _Columns(data)

    def boosting():
        trees = _boosting(data, seed, columns, seconds)
        return lambda split: outputs_of(data)(trees, columns.with_gaps(split))

    def linear():
        model = _linear(data, 1000 if seconds is None else 300)
        _quietly(model.fit, columns.with_flags(data.train), _labels(data))
        return lambda split: outputs_of(data)(model, columns.with_flags(split))

    if data.task in OF_TIMES:
        return {LINEAR: lambda: _cox(data, columns)}
    if seconds is not None and data.task == "multilabel":
        return {LINEAR: linear}
    return {BOOSTING: boosting, LINEAR: linear}


def _cox(data, columns):
    train, held_out = data.train, data.validation
    model = linear_cox.fitted(
        columns.with_flags(train),
        train.labels,
        columns.with_flags(held_out),
        held_out.labels,
    )
    return lambda split: model.predict(columns.with_flags(split))


def _boosting(data, seed, columns, seconds):
    from sklearn import ensemble

    kind = "Classifier" if data.class_names else "Regressor"
    new = getattr(ensemble, f"HistGradientBoosting{kind}")
    x, labels = columns.with_gaps(data.train), _labels(data)
    if seconds is None:
        trees = new(random_state=seed)
        trees = _ForEachLabel(trees) if data.task == "multilabel" else trees
        return _quietly(trees.fit, x, labels)
    trees = new(max_iter=1, warm_start=True, early_stopping=False, random_state=seed)
    score, held_out = task_of(data).score, columns.with_gaps(data.validation)
    until, best, kept = time.perf_counter() + seconds, -np.inf, None
    for rounds in (1, *range(STEP, ROUNDS + 1, STEP)):
        _quietly(trees.set_params(max_iter=rounds).fit, x, labels)
        found = score(data.validation.labels, outputs_of(data)(trees, held_out))
        if found > best:
            best, kept = found, copy.deepcopy(trees)
        elif kept is not None:
            break
        if time.perf_counter() > until:
            break
    return kept or trees


def _linear(data, steps):
    from sklearn.linear_model import LogisticRegression, RidgeCV

    if not data.class_names:
        return RidgeCV(np.logspace(-3, 4, 15))
    model = LogisticRegression(max_iter=steps)
    return _ForEachLabel(model) if data.task == "multilabel" else model


def _labels(data):
    return np.asarray(data.train.labels)


def _quietly(fit, x, labels):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # few iterations, collinear columns
        return fit(x, labels)


class _ForEachLabel:
    """A classifier for each label; a label that all rows have or none needs none."""

    def __init__(self, model):
        self.model = model

    def fit(self, x, labels):
        """Fits one to each column of `(B, K)`."""
        from sklearn.base import clone

        self.shares = labels.mean(axis=0)
        self.models = {
            k: clone(self.model).fit(x, labels[:, k])
            for k in np.flatnonzero((self.shares > 0) & (self.shares < 1))
        }
        return self

    def predict_proba(self, x):
        """`(B, K)`."""
        found = np.tile(self.shares.astype(np.float32), (len(x), 1))
        for k, model in self.models.items():
            found[:, k] = model.predict_proba(x)[:, 1]
        return found


def outputs_of(data: Dataset) -> Callable[..., np.ndarray]:
    """From a model and its columns, outputs as a network has them.

    There are probabilities of all classes, also of those that no training row has.
    """

    def several(model, x):
        return model.predict_proba(x)

    def regression(model, x):
        return model.predict(x)[:, None]

    def classification(model, x):
        shares = np.zeros((len(x), data.classes), np.float32)
        shares[:, model.classes_] = model.predict_proba(x)
        return shares

    if data.task == "multilabel":
        return several
    return classification if data.class_names else regression


class _Columns:
    """All modalities of some rows as one matrix."""

    def __init__(self, data):
        self.texts = _texts(data)
        self.weights = {}
        for name, words in self.texts.items():
            seen = _counts(data.train.inputs[name], words) > 0
            self.weights[name] = np.log((1 + len(seen)) / (1 + seen.sum(0))) + 1

    def with_gaps(self, split: Split) -> np.ndarray:
        """`(B, features)`, NaN where a modality is absent."""
        parts = []
        for name, there in zip(split.inputs, split.modality_mask.T, strict=True):
            x = self._encoded(name, split.inputs[name])
            parts.append(np.where(there[:, None], x, np.nan))
        return np.concatenate(parts, axis=1)

    def with_flags(self, split: Split) -> np.ndarray:
        """`(B, features + M)`, 0 where a modality is absent, and what is there."""
        x = np.nan_to_num(self.with_gaps(split))
        return np.concatenate([x, split.modality_mask], axis=1)

    def _encoded(self, name, x):
        if name not in self.texts:
            return np.asarray(x, np.float32).reshape(len(x), -1)
        counts = _counts(x, self.texts[name]) * self.weights[name]
        return counts / np.maximum(np.linalg.norm(counts, axis=1, keepdims=True), 1e-9)


def _width(data):
    """The features of a row."""
    texts, shapes = _texts(data), data.input_shapes
    return sum(
        len(texts[m]) if m in texts else int(np.prod(shape))
        for m, shape in shapes.items()
    )


def _texts(data):
    """The most frequent numbers of words of each modality that is a text."""
    if getattr(data, "preprocessor", None) is None:
        return {}
    return {
        name: _frequent(np.asarray(data.train.inputs[name]), columns[0].state)
        for name, columns in data.preprocessor.modalities.items()
        if columns[0].kind == "text"
    }


def _frequent(ids, state):
    if not text.is_pretrained(state):  # frequent ones come first, and 0 is padding
        return np.arange(1, min(WORDS, max(1, ids.max()) + 1))
    words, counts = np.unique(ids[ids != text.padding(state)], return_counts=True)
    return words[np.argsort(-counts, kind="stable")[:WORDS]]


def _counts(ids, words):
    """`(B, words)`: how often each of these words occurs."""
    ids = np.asarray(ids, np.int64)
    places = np.full(max(ids.max(), words.max()) + 1, len(words))
    places[words] = np.arange(len(words))
    counts = np.zeros((len(ids), len(words) + 1), np.float32)
    np.add.at(counts, (np.arange(len(ids))[:, None], places[ids]), 1)
    return counts[:, :-1]
