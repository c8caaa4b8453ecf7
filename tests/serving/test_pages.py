"""The examples of the pages, asked of a trained model that was exported and served."""

import numpy as np
import pytest

from keras_fusion import serving, zoo
from keras_fusion.experiments import recipes
from keras_fusion.export import export
from keras_fusion.serving.server.server import Server
from tests.project.test_readme import blocks

NAME = "mfeat_modality_attention"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.only_on("tensorflow", reason="it serves any backend's exports alike"),
]


@pytest.fixture(scope="module")
def digits():
    return recipes.load_data(recipes.read(NAME), seed=0)


@pytest.fixture(scope="module")
def model(digits):
    arguments = recipes.read(NAME).arguments
    trained = zoo.FusionClassifier(
        digits.input_shapes, digits.classes, **arguments, weights=NAME
    )
    return zoo.deployable(trained, digits.statistics)


@pytest.fixture(scope="module")
def server(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved_models")
    export(model, folder / NAME)
    with Server(folder, rest_port=0, grpc_port=0, say=lambda _: None) as server:
        yield server


def test_the_example(server, capsys):
    (code,) = blocks("deploy/README.md", "")
    assert "localhost:8501" in code
    exec(code.replace("localhost:8501", f"127.0.0.1:{server.rest_port}"), {})
    assert capsys.readouterr().out


@pytest.mark.parametrize("scheme", ["http", "grpc"])
def test_views_that_are_absent_count_for_nothing(scheme, model, digits, server):
    port = server.rest_port if scheme == "http" else server.grpc_port
    mean, std = digits.statistics["kar"]
    raw = {"kar": digits.test.inputs["kar"][:5] * std + mean}
    with serving.Client(f"{scheme}://127.0.0.1:{port}") as client:
        answered = client.predict(NAME, raw)["probabilities"]
    names = list(digits.test.inputs)
    nothing = {n: np.full((5, *digits.input_shapes[n]), np.nan) for n in names}
    present = np.tile([name == "kar" for name in names], (5, 1))
    inputs = nothing | raw | {"modality_mask": present}
    expected = model.predict(inputs, verbose=0)["probabilities"]
    np.testing.assert_allclose(answered, expected, atol=1e-5)
