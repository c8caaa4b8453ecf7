"""Cora and CiteSeer where the archives are; the error where they are not."""

import hashlib
import pathlib

import numpy as np
import pytest

from keras_fusion.datasets.builtin import archives, planetoid
from keras_fusion.graphs import check_edges

SHARED = pathlib.Path(__file__).resolve().parents[4] / "shared" / "data"
FACTS = {  # nodes, words, edges, train rows
    "cora": (2708, 1433, 10556, 140),
    "citeseer": (3327, 3703, 9104, 120),
}


@pytest.mark.parametrize("name", FACTS)
def test_the_published_graph(name):
    path = SHARED / planetoid.ARCHIVES[name].file
    if not path.is_file():
        pytest.skip(f"{path.name} is not beside this checkout")
    nodes, words, edges, train = FACTS[name]
    graph = planetoid.load_graph(name, path)
    assert graph.inputs["words"].shape == (nodes, words)
    assert graph.edge_index.shape == (2, edges)
    check_edges(graph.edge_index, nodes, symmetric=True)
    counts = [int(part.sum()) for part in (graph.train, graph.validation, graph.test)]
    assert counts == [train, 500, 1000]
    assert not (graph.train & graph.validation | graph.validation & graph.test).any()
    classes = planetoid.CLASSES[name]
    parts = graph.train | graph.validation | graph.test
    assert np.unique(graph.labels[parts]).tolist() == list(range(classes))
    assert np.bincount(graph.labels[graph.train]).tolist() == [20] * classes


def test_a_small_archive(tmp_path, monkeypatch):
    """Compressed rows become the matrix; read from the folder that is named."""
    words = np.array([[0, 2, 0], [0, 0, 0], [1, 0, 3]], "float32")
    np.savez(
        tmp_path / "small.npz",
        x_data=words[words > 0],
        x_indices=np.nonzero(words)[1],
        x_indptr=np.array([0, 1, 1, 3]),
        x_shape=np.array([3, 3]),
        edge_index=np.array([[0, 2], [2, 0]]),
        y=np.array([0, 1, 1]),
        **{
            f"{p}_mask": np.arange(3) == n
            for n, p in enumerate(["train", "val", "test"])
        },
    )
    digest = hashlib.sha256((tmp_path / "small.npz").read_bytes()).hexdigest()
    small = {"small": archives.Archive("small.npz", digest, "a test")}
    monkeypatch.setattr(planetoid, "ARCHIVES", small)
    monkeypatch.setenv(archives.VARIABLE, str(tmp_path))
    graph = planetoid.load_graph("small")
    assert graph.inputs["words"].tolist() == words.tolist()
    assert graph.validation.tolist() == [False, True, False]
    assert graph.edge_index.dtype == graph.labels.dtype == np.int32


def test_an_archive_that_is_not_there(tmp_path, monkeypatch):
    monkeypatch.setenv(archives.VARIABLE, str(tmp_path))
    with pytest.raises(ValueError, match="planetoid_cora.npz.*not shipped"):
        planetoid.load_graph("cora")


def test_an_unknown_graph():
    with pytest.raises(ValueError, match="No graph 'pubmed'.*cora, citeseer"):
        planetoid.load_graph("pubmed")
