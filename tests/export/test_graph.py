"""A graph is served unbatched: n nodes, E edges, whatever these are."""

import importlib.util

import numpy as np
import pytest

from keras_fusion import export
from keras_fusion.graphs import symmetric
from keras_fusion.zoo import GraphNodeClassifier
from tests.conftest import assert_close, to_numpy
from tests.layers.cases import draw, randomize

EDGES = symmetric(np.array([[0, 1, 2, 3], [1, 2, 3, 4]])).astype("int32")
SHAPES = {"words": 5, "position": 3}


def graph(nodes):
    inputs = {name: draw(nodes, width) for name, width in SHAPES.items()}
    weight = np.abs(draw(EDGES.shape[1]))
    return inputs | {"edge_index": EDGES, "edge_weight": weight}


@pytest.mark.only_on("torch", reason="no backend changes it")
@pytest.mark.slow
@pytest.mark.skipif(
    importlib.util.find_spec("tensorflow") is None, reason="needs TensorFlow"
)
def test_a_graph_of_any_size(tmp_path):
    model = randomize(
        GraphNodeClassifier(SHAPES, 3, units=8, modality_mask=True, edge_weight=True),
        scale=0.3,
    )
    export.export(model, tmp_path / "papers")
    answer = export.signature(tmp_path / "papers")
    for nodes in (5, 9):
        inputs = graph(nodes)
        there = np.ones((nodes, 2), bool)
        expected = to_numpy(model(inputs | {"modality_mask": there}))
        (probabilities,) = answer(inputs).values()
        assert_close(probabilities, expected)
    there[0, 1] = False
    flags = {f"{name}_present": x for name, x in zip(SHAPES, there.T)}
    (probabilities,) = answer(inputs | flags).values()
    assert_close(probabilities, to_numpy(model(inputs | {"modality_mask": there})))
    inputs["position"] = inputs["position"][:4]
    with pytest.raises(ValueError, match="must have one batch size.*'position': 4"):
        answer(inputs)
    _is_served(model, tmp_path)


def _is_served(model, folder):
    """More nodes than rows in a batch, edges with weights, one modality left out."""
    from keras_fusion.serving import Client
    from keras_fusion.serving.server.server import Server

    inputs = graph(1500)
    there = np.tile([True, False], (1500, 1))
    expected = to_numpy(model(inputs | {"modality_mask": there}))
    del inputs["position"]
    with Server(folder, rest_port=0, grpc_port=0, say=lambda _: None) as server:
        with Client(f"http://127.0.0.1:{server.rest_port}") as client:
            outputs = client.predict("papers", inputs)
    (probabilities,) = outputs.values()
    assert_close(probabilities, expected)
