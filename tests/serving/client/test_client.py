"""Our client against the local server, and against a real one where there is one."""

import numpy as np
import pytest

from keras_fusion import serving
from keras_fusion.serving.client.absence import complete
from keras_fusion.serving.client.rows import arrays_of
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
    present = np.array([False, True])
    inputs = INPUTS | {"pose_present": present}
    inputs["pose"] = np.where(present[:, None], POSE, np.nan)  # NaN where it is absent
    scores = client.predict("small", inputs)["scores"]
    np.testing.assert_array_equal(scores, [[6, 0], [-0.5, 4.25]])


def test_rows_by_name(client):
    rows = [{"height": -1, "width": 3, "rgb": RGB[0]}, {"rgb": RGB[1].tolist()}]
    columns = {"pose": ["width", "height"]}
    scores = client.predict("small", rows, columns=columns)["scores"]
    np.testing.assert_array_equal(scores, [[6, 2], [-0.5, 0]])
    assert client.predict("small", rows[1:])["scores"].tolist() == [[-0.5, 0]]


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
    assert signatures["serving_masked"].flags == {"rgb_present", "pose_present"}
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
    with pytest.raises(serving.ServingError) as e:
        client.predict(inputs=INPUTS, **asked)
    assert e.value.code == code and str(e.value)


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
    with pytest.raises(ValueError, match=r"missing are \['pose'\]"):
        client.predict("small", {"rgb": RGB, "pose_present": np.array([True, False])})
    for infinite in (np.inf, -np.inf, 1e300):
        with pytest.raises(ValueError, match="'rgb' has a number in row 1 that is inf"):
            client.predict("small", {"rgb": np.array([[1, 2, 3], [1, infinite, 3]])})
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


def tensor(dtype, *sizes):
    return {"dtype": dtype, "tensor_shape": {"dim": [{"size": str(n)} for n in sizes]}}


@pytest.fixture
def known():
    """Signatures with a free token count, and flags for what is present."""
    modalities = {
        "text": tensor("DT_INT32", -1, -1),
        "audio": tensor("DT_FLOAT", -1, 4),
    }
    flags = {f"{name}_present": tensor("DT_BOOL", -1) for name in modalities}
    return described(
        {
            "signature_def": {
                "serving_default": {"inputs": modalities},
                "serving_masked": {"inputs": modalities | flags},
                "__saved_model_init_op": {"inputs": {}},
            }
        }
    )


AUDIO = np.ones((3, 4), "float32")


def test_what_is_absent_is_zeros_and_said(known):
    name, arrays = complete({"audio": AUDIO}, known)
    assert name == "serving_masked"
    assert arrays["text"].shape == (3, 1) and arrays["text"].dtype == np.int32
    assert arrays["text_present"].tolist() == [False] * 3
    assert arrays["audio_present"].tolist() == [True] * 3


def test_a_name_may_be_the_persons_own(known):
    for signature in known.values():
        signature.inputs["left_eye"] = signature.inputs["audio"]
    inputs = {"left eye": AUDIO, "audio": AUDIO, "text": np.ones((3, 1), int)}
    name, arrays = complete(inputs, known)
    assert name == "serving_default" and "left_eye" in arrays


def test_edges_are_no_modality_and_not_of_the_batch(known):
    for signature in known.values():
        signature.inputs["edge_index"] = Tensor(np.dtype("int32"), (2, None))
    nodes = {"audio": AUDIO, "edge_index": np.zeros((2, 9), int)}
    name, arrays = complete(nodes, known)
    assert name == "serving_masked" and arrays["text"].shape == (3, 1)
    with pytest.raises(ValueError, match=r"missing are .*'edge_index'"):
        complete({"audio": AUDIO}, known)


def test_batches_must_agree(known):
    for signature in known.values():
        signature.inputs["more"] = signature.inputs["audio"]
    known["serving_masked"].inputs["more_present"] = Tensor(np.dtype(bool), (None,))
    with pytest.raises(ValueError, match="one batch size"):
        complete({"audio": AUDIO, "text": np.ones((2, 1), int)}, known)


def test_no_signature_takes_absent_ones(known):
    del known["serving_masked"]
    with pytest.raises(ValueError, match=r"missing are \['text'\]"):
        complete({"audio": AUDIO}, known)


def test_numbers_are_not_rounded_unseen(known):
    with pytest.raises(ValueError, match="'text' takes int32; received float64"):
        complete({"text": np.array([[1.5]])}, known)


COLUMNS = {"audio": ["a", "b", "c", "d"]}
ROW = {"d": 4, "text": [7, 8], "b": 2, "c": 3, "a": 1}


def test_columns_go_by_name_in_any_order(known):
    rows = [ROW, {"text": [1, 2]}, {"audio": [5, 6, 7, 8], "text": [1, 1]}]
    arrays = arrays_of(rows, known["serving_masked"], COLUMNS)
    assert arrays["audio"].tolist() == [[1, 2, 3, 4], [0] * 4, [5, 6, 7, 8]]
    assert arrays["audio_present"].tolist() == [True, False, True]
    assert arrays["text"].tolist() == [[7, 8], [1, 2], [1, 1]]
    assert "text_present" not in arrays


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "at least one"),
        ([ROW, {"a": 1, "c": 2}], r"Row 1 lacks \['b', 'd'\] of 'audio'"),
        ([ROW | {"e": 5}], r"Row 0: the signature takes .*unknown are \['e'\]"),
        ([ROW, ROW | {"text": [1]}], "one shape of 'text'"),
    ],
)
def test_rows_that_do_not_fit(rows, message, known):
    with pytest.raises(ValueError, match=message):
        arrays_of(rows, known["serving_masked"], COLUMNS)
