import shutil

import numpy as np
import pytest

from keras_fusion.datasets.builtin import planetoid
from tests.datasets.builtin.test_planetoid import SHARED

tfds = pytest.importorskip("tensorflow_datasets")
pytest.importorskip("tensorflow")


@pytest.mark.slow
@pytest.mark.only_on("tensorflow", reason="no matter of the backend")
@pytest.mark.parametrize("name", ["cora", "citeseer"])
def test_the_examples_are_the_graph(name, tmp_path):
    import keras_fusion.datasets.tfds  # noqa: F401

    path = SHARED / planetoid.ARCHIVES[name].file
    if not path.is_file():
        pytest.skip(f"{path.name} is not beside this checkout")
    (tmp_path / "manual").mkdir()
    shutil.copy(path, tmp_path / "manual")
    builder = tfds.builder(name, data_dir=tmp_path / "data")
    config = tfds.download.DownloadConfig(manual_dir=tmp_path / "manual")
    builder.download_and_prepare(download_config=config)
    graph = planetoid.load_graph(name, path)
    edges = []
    for part in ("train", "validation", "test", "rest"):
        examples = list(builder.as_dataset(split=part).as_numpy_iterator())
        nodes = np.array([e["node"] for e in examples])
        if part != "rest":
            assert sorted(nodes) == np.flatnonzero(getattr(graph, part)).tolist()
        assert [e["label"] for e in examples] == graph.labels[nodes].tolist()
        words = np.stack([e["words"] for e in examples])
        assert np.array_equal(words, graph.inputs["words"][nodes])
        edges += [(s, e["node"]) for e in examples for s in e["neighbors"]]
    assert sorted(edges) == sorted(map(tuple, graph.edge_index.T))
