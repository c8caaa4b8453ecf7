"""Cora and CiteSeer: papers, the words in them, and who cites whom.

Source: P. Sen et al. (2008), Collective Classification in Network Data; the split of
Z. Yang, W. Cohen and R. Salakhutdinov (2016), Revisiting Semi-Supervised Learning with
Graph Embeddings, https://github.com/kimiyoung/planetoid.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from keras_fusion.common.catalogue import find
from keras_fusion.datasets.builtin import archives

_SOURCE = "https://github.com/kimiyoung/planetoid"
ARCHIVES = {
    "cora": archives.Archive(
        "planetoid_cora.npz",
        "cb7475547a5301ea6ec5615bfcac3e958635d509901a0c000664b2e03778dd3c",
        _SOURCE,
    ),
    "citeseer": archives.Archive(
        "planetoid_citeseer.npz",
        "cd34c3cf08614ecba91cb6ecedc7dce7db489194258b91aeb38ca3ccf1aefa7e",
        _SOURCE,
    ),
}
CLASSES = {"cora": 7, "citeseer": 6}


class Graph(NamedTuple):
    """A graph whose nodes are to be classified.

    Attributes:
        inputs: `(n, D)` float32 by modality.
        edge_index: `(2, E)` int32, rows source and target, in both directions.
        labels: `(n,)` int32; -1 where a paper has none, which no part holds.
        train, validation, test: `(n,)` bool, the standard split.
    """

    inputs: dict[str, np.ndarray]
    edge_index: np.ndarray
    labels: np.ndarray
    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray


def load_graph(name: str, path: Path | None = None) -> Graph:
    """`cora` or `citeseer` with the modality `words`, raw: 1 where a paper has a word.

    Args:
        name: `"cora"` (2708 papers, 7 classes) or `"citeseer"` (3327, 6).
        path: Of the archive, in place of the folder of `archives`.

    Raises:
        ValueError: If the name is unknown, or the archive is not there or not the
            published one.
    """
    found = archives.read(find("graph", name, ARCHIVES), path)
    return Graph(
        {"words": _dense(found)},
        found["edge_index"].astype("int32"),
        found["y"].astype("int32"),
        *(found[f"{part}_mask"].astype(bool) for part in ("train", "val", "test")),
    )


def _dense(found):
    """The words from compressed rows: column numbers, and where each row begins."""
    words = np.zeros(tuple(found["x_shape"]), "float32")
    rows = np.repeat(np.arange(len(words)), np.diff(found["x_indptr"]))
    words[rows, found["x_indices"]] = found["x_data"]
    return words
