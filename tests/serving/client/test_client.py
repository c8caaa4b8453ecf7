"""Our client against the local server, and against a real one where there is one."""

import numpy as np
import pytest

from keras_fusion import serving
from keras_fusion.serving.client.absence import complete
from keras_fusion.serving.description import Tensor, described
from tests.serving.saved_model import NAMES, POSE, RGB

INPUTS = {"rgb": RGB, "pose": POSE}


@pytest.fixture(params=["rest", "grpc"])
def client(request, server):
    url = server.rest if request.param == "rest" else f"grpc://{server.grpc}"
    with serving.Client(url, timeout=20) as client:
        yield client


def test_predict(client):
    outputs = client.predict("small", INPUTS)
    np.testing.assert_array_equal(outputs["scores"], [[6, 3], [-0.5, 4.25]])
    assert outputs["scores"].dtype == np.float32
    assert [name.decode() for name in outputs["classes"]] == NAMES


def test_what_is_absent_is_filled_and_said(client):
    rgb_only = client.predict("small", {"rgb": RGB})["scores"]
    np.testing.assert_array_equal(rgb_only, [[6, 0], [-0.5, 0]])
    pose_only = client.predict("small", {"pose": POSE})["scores"]
    np.testing.assert_array_equal(pose_only, [[0, 3], [0, 4.25]])


def test_a_mask_of_ones_own(client):
    mask = np.array([[True, False], [True, True]])
    inputs = INPUTS | {"modality_mask": mask}
    inputs["pose"] = np.where(mask[:, 1:], POSE, np.nan)  # NaN where it is absent
    scores = client.predict("small", inputs)["scores"]
    np.testing.assert_array_equal(scores, [[6, 0], [-0.5, 4.25]])


def test_version_and_signature(client):
    asked = {"version": 1, "signature": "double"}
    outputs = client.predict("small", {"x": np.float32([np.nan, 2])}, **asked)
    np.testing.assert_array_equal(outputs["doubled"], np.float32([np.nan, 4]))


def test_every_type_comes_back(client):
    inputs = {
        "whole": np.array([1, 2]),  # int64 goes as the int32 that is taken
        "exact": np.array([0.1, 1e300]),
        "text": np.array(["é", ""]),
        "raw": np.array([b"\xff", b""], object),
        "flag": np.array([True, False]),
    }
    outputs = client.predict("small", inputs, signature="types")
    assert outputs["whole"].tolist() == [2, 3]
    assert outputs["exact"].tolist() == [0.1, 1e300]
    assert outputs["text"].tolist() == ["é".encode(), b""]
    assert outputs["raw_bytes"].tolist() == [b"\xff", b""]
    assert outputs["flag"].tolist() == [False, True]


def test_status_and_signatures(client):
    assert client.status("small") == {1: "AVAILABLE"}
    signatures = client.signatures("small")
    assert signatures["serving_masked"].modalities == ["rgb", "pose"]
    assert signatures["serving_default"].inputs["rgb"].shape == (None, 3)


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"model": "no"}, "NOT_FOUND"),
        ({"model": "small", "version": 7}, "NOT_FOUND"),
        ({"model": "small", "label": "no"}, "INVALID_ARGUMENT"),
    ],
)
def test_errors_are_the_servers_sentences(client, asked, code):
    with pytest.raises(serving.ServingError, match="Servable not found|label: no") as e:
        client.predict(inputs=INPUTS, **asked)
    assert e.value.code == code


def test_a_refused_shape_is_the_servers_to_say(client):
    with pytest.raises(serving.ServingError) as e:
        client.predict("small", {"rgb": RGB[:, :2], "pose": POSE})
    assert e.value.code == "INVALID_ARGUMENT" and str(e.value)


def test_unfit_names_and_types_never_leave(client):
    with pytest.raises(ValueError, match=r"unknown are \['audio'\]"):
        client.predict("small", INPUTS | {"audio": POSE})
    with pytest.raises(ValueError, match="'rgb' takes float32; received complex"):
        client.predict("small", INPUTS | {"rgb": RGB * 1j})
    with pytest.raises(ValueError, match="missing are"):
        client.predict("small", {})
    with pytest.raises(ValueError, match="all are needed"):
        client.predict("small", {"rgb": RGB, "modality_mask": np.ones((2, 2), bool)})
    with pytest.raises(ValueError, match="No signature 'no': there are"):
        client.predict("small", INPUTS, signature="no")


@pytest.mark.parametrize("scheme", ["http", "grpc"])
def test_no_server(scheme, free_port):
    client = serving.Client(f"{scheme}://127.0.0.1:{free_port}", timeout=2)
    with pytest.raises(serving.ServingError) as e:
        client.status("small")
    assert e.value.code == "UNAVAILABLE"


@pytest.mark.parametrize("url", ["127.0.0.1:8501", "ftp://host:1", "http://", ""])
def test_urls(url):
    with pytest.raises(ValueError, match="Expected http://HOST:PORT"):
        serving.Client(url)


def tensor(dtype, *sizes, columns=""):
    dims = [{"size": str(size)} for size in sizes]
    if columns:
        dims[-1]["name"] = columns
    return {"dtype": dtype, "tensor_shape": {"dim": dims}}


def signatures(columns):
    """A free token count, and a mask whose columns may go unsaid."""
    modalities = {
        "text": tensor("DT_INT32", -1, -1),
        "audio": tensor("DT_FLOAT", -1, 4),
    }
    mask = tensor("DT_BOOL", -1, 2, columns=columns)
    return described(
        {
            "signature_def": {
                "serving_default": {"inputs": modalities},
                "serving_masked": {"inputs": modalities | {"modality_mask": mask}},
                "__saved_model_init_op": {"inputs": {}},
            }
        }
    )


def test_fillers_follow_the_columns_order():
    audio = np.ones((3, 4), "float32")
    name, arrays = complete({"audio": audio}, signatures("text,audio"))
    assert name == "serving_masked"
    assert arrays["modality_mask"].tolist() == [[False, True]] * 3
    assert arrays["text"].shape == (3, 1) and arrays["text"].dtype == np.int32
    _, arrays = complete({"audio": audio}, signatures("audio,text"))
    assert arrays["modality_mask"].tolist() == [[True, False]] * 3


def graph():
    """The signatures of a model whose batch are the nodes of a graph."""
    known = signatures("text,audio")
    for signature in known.values():
        signature.inputs["edge_index"] = Tensor(np.dtype("int32"), (2, None), [])
    return known


def test_edges_are_no_modality_and_not_of_the_batch():
    nodes = {"audio": np.ones((3, 4)), "edge_index": np.zeros((2, 9), int)}
    name, arrays = complete(nodes, graph())
    assert name == "serving_masked" and arrays["text"].shape == (3, 1)
    assert arrays["modality_mask"].tolist() == [[False, True]] * 3


def test_edges_cannot_be_left_out():
    with pytest.raises(ValueError, match=r"missing are .*'edge_index'"):
        complete({"audio": np.ones((3, 4))}, graph())


def test_columns_that_are_not_said():
    with pytest.raises(ValueError, match="does not say which column"):
        complete({"audio": np.ones((3, 4))}, signatures(""))


def test_batches_must_agree():
    known = signatures("text,audio")
    for signature in known.values():
        signature.inputs["more"] = signature.inputs["audio"]
    inputs = {"audio": np.ones((3, 4)), "text": np.ones((2, 1), int)}
    with pytest.raises(ValueError, match="one batch size"):
        complete(inputs, known)


def test_no_signature_takes_absent_ones():
    known = {"serving_default": signatures("")["serving_default"]}
    with pytest.raises(ValueError, match=r"missing are \['text'\]"):
        complete({"audio": np.ones((3, 4))}, known)


def test_numbers_are_not_rounded_unseen():
    known = signatures("text,audio")
    with pytest.raises(ValueError, match="'text' takes int32; received float64"):
        complete({"text": np.array([[1.5]])}, known)
