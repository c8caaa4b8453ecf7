"""Data sets of vectors for the study of defaults, and how their rows are split."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from keras_fusion.datasets.builtin import archives, mfeat

ROWS = 600  # that train at most: it is variance that the study is about


class Table(NamedTuple):
    """Vectors `(N, D)` float32 by modality; a row that is all NaN is an absence."""

    inputs: dict[str, np.ndarray]
    labels: np.ndarray
    is_train: np.ndarray | None = None
    groups: np.ndarray | None = None


class Case(NamedTuple):
    """A table, and how many rows of every class train."""

    read: Callable[[], Table]
    labels_per_class: int | None = None


class Part(NamedTuple):
    inputs: dict[str, np.ndarray]
    labels: np.ndarray


def split(case: Case, table: Table, seed: int) -> dict[str, Part]:
    """`train`, `validation` and `test` as `seed` draws them; a fixed test part stays.

    As many rows train whatever the seed, so that all splits train at once.
    """
    rng = np.random.default_rng(seed)
    rows = np.arange(len(table.labels))
    units = rows if table.groups is None else table.groups
    if table.is_train is None:
        test = _drawn(units, rows, 0.25, rng)
    else:
        test = rows[~table.is_train]
    rest = np.setdiff1d(rows, test)
    validation = _drawn(units, rest, 0.25, rng)
    train = np.setdiff1d(rest, validation)
    if case.labels_per_class:
        kept = [
            rng.permutation(train[table.labels[train] == k])[: case.labels_per_class]
            for k in np.unique(table.labels)
        ]
        train = np.concatenate(kept)
    parts = {
        "train": rng.permutation(train)[:ROWS],
        "validation": rng.permutation(validation)[:ROWS],
        "test": test[: 2 * ROWS] if table.is_train is not None else test,
    }
    return {
        name: Part({m: x[r] for m, x in table.inputs.items()}, table.labels[r])
        for name, r in parts.items()
    }


def _drawn(units, rows, share, rng):
    """This share of `rows`, by whole units."""
    names = rng.permutation(np.unique(units[rows]))
    return rows[np.isin(units[rows], names[: max(1, round(len(names) * share))])]


def leaves() -> Table:
    """Three sets of features of leaves of a hundred species."""
    arrays = _archive("leaves100.npz")
    names = ("shape", "margin", "texture")
    return Table({m: arrays[f"X_{m}"] for m in names}, arrays["y"])


def digits() -> Table:
    """Six sets of features of written digits."""
    raw = mfeat.read()
    return Table(raw.inputs, np.unique(raw.labels, return_inverse=True)[1])


def _actions():
    """Means, deviations and extremes of a sensor; places and depths at few moments."""
    arrays = _archive("utd_mhad.npz")
    parts = np.split(arrays["inertial"], 4, axis=1)
    measures = (np.mean, np.std, np.min, np.max)
    inertial = [measure(p, axis=1) for p in parts for measure in measures]
    skeleton = arrays["skeleton"][:, ::8] - arrays["skeleton"][:, ::8, 3:4]
    depth = arrays["depth"].astype("float32")[:, ::3]  # (N, 4, 48, 64)
    depth = depth.reshape(len(depth), 4, 8, 6, 8, 8).mean(axis=(3, 5))
    inputs = {
        "inertial": np.concatenate(inertial, axis=-1),
        "skeleton": skeleton.reshape(len(skeleton), -1),
        "depth": depth.reshape(len(depth), -1),
    }
    return Table(inputs, arrays["y"], arrays["is_train"], arrays["subject"])


def _opinions():
    arrays = _archive("mosi_bclstm.npz")
    names = ("text", "audio", "video")
    inputs = {m: arrays[f"X_{m}"] for m in names}
    return Table(inputs, arrays["y"], arrays["is_train"], arrays["video"])


def spoken_digits() -> Table:
    """Blurred images and noisy recordings at half their resolution."""
    arrays = _archive("avmnist_fsdd.npz")
    audio = arrays["audio_noisy"][arrays["pair"]]
    inputs = {"image": arrays["image_low"], "audio": audio}
    rows = np.random.default_rng(0).permutation(len(arrays["y"]))[:3000]
    return Table({m: _halved(x[rows]) for m, x in inputs.items()}, arrays["y"][rows])


def _halved(pictures):
    n, height, width = pictures.shape
    halves = pictures.reshape(n, height // 2, 2, width // 2, 2)
    return halves.mean(axis=(2, 4)).reshape(n, -1)


def reviews(label: str = "Recommended IND") -> Table:
    """Tables and texts of reviews of clothing, as many of both kinds."""
    from pyarrow import parquet

    table = parquet.read_table(archives.folder() / "clothing_reviews.parquet")
    labels = table["Recommended IND"].to_numpy()
    rng = np.random.default_rng(0)
    rows = [rng.permutation(np.flatnonzero(labels == k))[:1500] for k in (0, 1)]
    rows = np.concatenate(rows)
    table = table.take(rows)
    numbers = ("Age", "Positive Feedback Count")
    kinds = ("Division Name", "Department Name", "Class Name")
    columns = [table[name].to_numpy().astype("float32")[:, None] for name in numbers]
    columns += [_one_hot(table[name].to_pylist()) for name in kinds]
    inputs = {
        "table": np.concatenate(columns, axis=-1),
        "title": _components(table["Title"].to_pylist()),
        "review": _components(table["Review Text"].to_pylist()),
    }
    groups = table["Clothing ID"].to_numpy()
    return Table(inputs, table[label].to_numpy(), groups=groups)


def _stamps():
    """Captions and small pictures, of which some are missing."""
    from PIL import Image
    from pyarrow import csv

    folder = archives.folder() / "stamps"
    texts = csv.ConvertOptions(strings_can_be_null=True)
    table = csv.read_csv(folder / "stamps.csv", convert_options=texts)
    pictures = np.full((len(table), 12 * 12 * 3), np.nan, np.float32)
    for row, name in enumerate(table["picture"].to_pylist()):
        if name:
            image = Image.open(folder / name).convert("RGBA")
            image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
            pictures[row] = np.asarray(image.convert("RGB").resize((12, 12))).ravel()
    captions = table["caption"].to_pylist()
    inputs = {"caption": _components(captions), "picture": pictures}
    labels = np.unique(table["category"].to_pylist(), return_inverse=True)[1]
    return Table(inputs, labels, groups=np.unique(captions, return_inverse=True)[1])


def _one_hot(values):
    kinds = sorted({value for value in values if value is not None})
    return np.array([[value == kind for kind in kinds] for value in values], "float32")


def _components(texts, count=100):
    """Leading components of words' frequencies, NaN where there is no text."""
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer

    given = np.array([bool(text) for text in texts])
    words = TfidfVectorizer(min_df=3, sublinear_tf=True)
    words = words.fit_transform([text or "" for text in texts])
    count = min(count, words.shape[1] - 1)
    found = TruncatedSVD(count, random_state=0).fit_transform(words)
    return np.where(given[:, None], found, np.nan)


def small_digits() -> Table:
    """The 8x8 digits of scikit-learn, two rows of pixels a modality."""
    from sklearn.datasets import load_digits

    pixels, labels = load_digits(return_X_y=True)
    return Table({f"rows_{i}": pixels[:, 16 * i :][:, :16] for i in range(4)}, labels)


def cancer() -> Table:
    """Means, standard errors and worst values of ten measures of cells."""
    from sklearn.datasets import load_breast_cancer

    measures, labels = load_breast_cancer(return_X_y=True)
    names = ("mean", "error", "worst")
    inputs = {m: measures[:, 10 * i :][:, :10] for i, m in enumerate(names)}
    return Table(inputs, labels)


def wine() -> Table:
    """Thirteen measures of wines, by fours."""
    from sklearn.datasets import load_wine

    measures, labels = load_wine(return_X_y=True)
    names = ("first", "middle", "last")
    columns = np.split(measures.astype("float32"), (4, 8), axis=1)
    return Table(dict(zip(names, columns)), labels)


def _archive(file):
    with np.load(archives.folder() / file, allow_pickle=False) as arrays:
        return dict(arrays)


CASES = {
    "leaves, 3 labels": Case(leaves, 3),
    "mfeat, 10 labels": Case(digits, 10),
    "mfeat": Case(digits),
    "actions": Case(_actions),
    "mosi": Case(_opinions),
    "reviews": Case(reviews),
    "stamps": Case(_stamps),
    "spoken digits": Case(spoken_digits),
    "small digits, 10 labels": Case(small_digits, 10),
    "cancer": Case(cancer),
    "leaves": Case(leaves, 9),
}
