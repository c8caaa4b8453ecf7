import numpy as np
import pytest

tf = pytest.importorskip("tensorflow")

from keras_fusion.serving.errors import ServingError  # noqa: E402
from keras_fusion.serving.server.servable import Servable  # noqa: E402

pytestmark = pytest.mark.only_on("tensorflow", reason="TensorFlow alone serves")


@pytest.fixture
def folder(tmp_path):
    @tf.function(input_signature=[tf.TensorSpec([None], "float32", name="x")])
    def describe(x):
        return {
            "word": tf.constant("a"),
            "sum": tf.reduce_sum(x),
            "text": tf.as_string(x),
        }

    module = tf.Module()
    tf.saved_model.save(module, tmp_path / "3", signatures={"told": describe})
    return tmp_path / "3"


def test_every_output_is_an_array(folder):
    servable = Servable(folder)
    assert servable.version == 3
    answer = servable.answer("told", {"x": np.float32([1, 2])})
    assert {name: x.shape for name, x in answer.items()} == {
        "sum": (),
        "text": (2,),
        "word": (),
    }
    assert answer["sum"] == 3 and answer["sum"].dtype == "float32"
    assert answer["word"].item() == b"a"
    assert answer["text"][0].startswith(b"1.0")


@pytest.mark.parametrize(
    ("rgb", "pose"),
    [
        ([[1, 2]], [[1, 2]]),
        ([1, 2, 3], [[1, 2]]),
        ([], []),
        ([[1, 2, 3]] * 2, [[1, 2]]),
        ([[1, 2, 3]], np.int64([[1, 2]])),
    ],
)
def test_the_graph_of_the_protocol_tests_refuses_by_itself(saved, rgb, pose):
    # As TensorFlow Serving must, which asks nothing but the graph.
    rgb, pose = (x if isinstance(x, np.ndarray) else np.float32(x) for x in (rgb, pose))
    with pytest.raises(ServingError):
        Servable(saved).answer("serving_default", {"rgb": rgb, "pose": pose})
