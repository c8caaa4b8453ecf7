"""PredictionService and ModelService by the stubs of tensorflow-serving-api."""

import json

import numpy as np
import pytest
import tensorflow as tf
from google.protobuf import json_format
from tensorflow.core.framework import types_pb2
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    predict_pb2,
)

from tests.serving.asking import Stubs, arrays, get, predict_request
from tests.serving.saved_model import NAMES, POSE, RGB

INPUTS = {"rgb": RGB, "pose": POSE}


@pytest.fixture
def stubs(server):
    with Stubs(server) as stubs:
        yield stubs


def test_predict(stubs):
    response = stubs.predict(predict_request(INPUTS), timeout=20)
    assert response.model_spec.name == "small"
    assert response.model_spec.version.value == 1
    assert response.model_spec.signature_name == "serving_default"
    outputs = arrays(response)
    np.testing.assert_array_equal(outputs["scores"], [[6, 3], [-0.5, 4.25]])
    assert outputs["classes"].tolist() == [name.encode() for name in NAMES]
    # What clients read without decoding the tensor.
    assert list(response.outputs["scores"].float_val) == [6, 3, -0.5, 4.25]


def test_every_type(stubs):
    inputs = {
        "whole": np.int32([1]),
        "exact": np.float64([0.1]),
        "text": ["é".encode()],
        "raw": [b"\xff\x00"],
        "flag": [True],
    }
    outputs = arrays(stubs.predict(predict_request(inputs, "types"), timeout=20))
    assert outputs["whole"] == 2 and outputs["whole"].dtype == np.int32
    assert outputs["exact"] == 0.1 and outputs["exact"].dtype == np.float64
    assert outputs["text"][0].decode() == "é"
    assert outputs["raw_bytes"][0] == b"\xff\x00"
    assert outputs["flag"].tolist() == [False]


def test_values_and_bytes_are_the_same_tensor(stubs):
    request = predict_request({}, "double")
    request.inputs["x"].dtype = types_pb2.DT_FLOAT
    request.inputs["x"].tensor_shape.dim.add(size=3)
    request.inputs["x"].float_val.append(2.5)  # stands for all three
    outputs = arrays(stubs.predict(request, timeout=20))
    assert outputs["doubled"].tolist() == [5, 5, 5]
    x = request.inputs["x"]
    x.ClearField("float_val")
    x.tensor_content = np.float32([1, 2, 3]).tobytes()
    outputs = arrays(stubs.predict(request, timeout=20))
    assert outputs["doubled"].tolist() == [2, 4, 6]


def test_output_filter(stubs):
    request = predict_request(INPUTS)
    request.output_filter.append("classes")
    assert list(stubs.predict(request, timeout=20).outputs) == ["classes"]
    request.output_filter.append("classes")
    assert stubs.refusal(stubs.predict, request)[0] == "INVALID_ARGUMENT"
    request.output_filter[:] = ["nothing"]
    assert stubs.refusal(stubs.predict, request)[0] == "INVALID_ARGUMENT"


def test_an_empty_batch_gives_empty_outputs(stubs):
    inputs = {"rgb": RGB[:0], "pose": POSE[:0]}
    outputs = arrays(stubs.predict(predict_request(inputs), timeout=20))
    assert outputs["scores"].shape == (0, 2)


def test_nan_and_infinity_are_numbers(stubs):
    x = np.float32([np.nan, np.inf, -np.inf])
    outputs = arrays(stubs.predict(predict_request({"x": x}, "double"), timeout=20))
    np.testing.assert_array_equal(outputs["doubled"], x)


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"model": "no"}, "NOT_FOUND"),
        ({"version": 7}, "NOT_FOUND"),
        ({"label": "canary"}, "INVALID_ARGUMENT"),
        ({"signature": "no"}, "FAILED_PRECONDITION"),
    ],
)
def test_what_is_not_there(stubs, asked, code):
    refused, sentence = stubs.refusal(stubs.predict, predict_request(INPUTS, **asked))
    assert refused == code and sentence


@pytest.mark.parametrize(
    "inputs",
    [
        {"rgb": RGB},
        INPUTS | {"audio": POSE},
        {"rgb": RGB, "audio": POSE},
        {"rgb": RGB.astype("float64"), "pose": POSE},
        {"rgb": RGB, "pose": POSE.astype("int64")},
        {"rgb": RGB[:, :2], "pose": POSE},
        {"rgb": RGB[0], "pose": POSE[0]},
    ],
)
def test_tensors_that_do_not_fit(stubs, inputs):
    code, sentence = stubs.refusal(stubs.predict, predict_request(inputs))
    assert code == "INVALID_ARGUMENT" and sentence


def test_a_tensor_that_is_none(stubs):
    request = predict_request(INPUTS)
    request.inputs["rgb"].tensor_shape.dim[0].size = -5
    code, sentence = stubs.refusal(stubs.predict, request)
    assert code == "INVALID_ARGUMENT" and "tensor parsing error: rgb" in sentence


def test_without_a_model_spec(stubs):
    for method, request in (
        (stubs.predict, predict_pb2.PredictRequest()),
        (stubs.status, get_model_status_pb2.GetModelStatusRequest()),
    ):
        assert stubs.refusal(method, request)[0] == "INVALID_ARGUMENT"


# Status and metadata


def test_status(stubs):
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = "small"
    (version,) = stubs.status(request, timeout=20).model_version_status
    assert version.version == 1 and version.status.error_code == 0
    assert version.state == get_model_status_pb2.ModelVersionStatus.AVAILABLE
    request.model_spec.version.value = 7
    assert stubs.refusal(stubs.status, request)[0] == "NOT_FOUND"


def metadata_request(*fields):
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=fields)
    request.model_spec.name = "small"
    return request


def test_metadata_is_that_of_rest(stubs, server):
    response = stubs.metadata(metadata_request("signature_def"), timeout=20)
    assert response.model_spec.version.value == 1
    signatures = get_model_metadata_pb2.SignatureDefMap()
    response.metadata["signature_def"].Unpack(signatures)
    x = signatures.signature_def["double"].inputs["x"]
    assert tf.as_dtype(x.dtype) == tf.float32
    told = json_format.MessageToJson(
        signatures,
        preserving_proto_field_name=True,
        always_print_fields_with_no_presence=True,
    )
    _, answer = get(server, "/v1/models/small/metadata")
    assert answer["metadata"]["signature_def"] == json.loads(told)


def test_metadata_fields(stubs):
    for fields in ((), ("graph",)):
        code, sentence = stubs.refusal(stubs.metadata, metadata_request(*fields))
        assert code == "INVALID_ARGUMENT" and sentence


def test_only_predictions(local):
    request = classification_pb2.ClassificationRequest()
    with Stubs(local) as stubs:
        assert stubs.refusal(stubs.classify, request)[0] == "UNIMPLEMENTED"


def test_rows_must_be_as_many(local):
    # Without batching TensorFlow Serving leaves this to the graph, which may spread
    # the one over the others.
    request = predict_request({"rgb": RGB, "pose": POSE[:1]})
    with Stubs(local) as stubs:
        code, sentence = stubs.refusal(stubs.predict, request)
    assert code == "INVALID_ARGUMENT" and "one number of rows" in sentence
