"""The REST API as TensorFlow Serving's documentation has it (api_rest.md)."""

import json

import pytest

from tests.serving.asking import get, http_ask, nested, post
from tests.serving.saved_model import POSE, RGB

PREDICT = "/v1/models/small:predict"
COLUMNS = {"rgb": nested(RGB), "pose": nested(POSE)}
ROWS = [{"rgb": nested(r), "pose": nested(p)} for r, p in zip(RGB, POSE)]
SCORES = [[6.0, 3.0], [-0.5, 4.25]]
CLASSES = ["cat", "dög"]


def ask(server, body):
    return post(server, PREDICT, body)


def types(**changes):
    row = {"whole": 1, "exact": 0.1, "text": "é", "raw": {"b64": "/w=="}, "flag": True}
    return {"signature_name": "types", "instances": [row | changes]}


# Predict


def test_rows_come_back_as_rows(server):
    status, answer = ask(server, {"instances": ROWS})
    rows = [{"scores": s, "classes": c} for s, c in zip(SCORES, CLASSES)]
    assert (status, answer) == (200, {"predictions": rows})


def test_columns_come_back_as_columns(server):
    status, answer = ask(server, {"inputs": COLUMNS})
    outputs = {"scores": SCORES, "classes": CLASSES}
    assert (status, answer) == (200, {"outputs": outputs})


def test_a_single_output_goes_without_its_name(server):
    body = {"signature_name": "double"}
    assert ask(server, body | {"instances": [1.5, -2]})[1] == {"predictions": [3, -4]}
    assert ask(server, body | {"instances": [{"x": 1}]})[1] == {"predictions": [2.0]}
    assert ask(server, body | {"inputs": [1.5]})[1] == {"outputs": [3.0]}
    assert ask(server, body | {"inputs": {"x": [1.5]}})[1] == {"outputs": [3.0]}


def test_signature_name(server):
    flags = {"rgb_present": [True, False], "pose_present": [False, True]}
    inputs = COLUMNS | flags
    body = {"signature_name": "serving_masked", "inputs": inputs}
    assert ask(server, body)[1]["outputs"]["scores"] == [[6, 0], [0, 4.25]]


@pytest.mark.parametrize(
    "path", ["/v1/models/small/versions/1:predict", "/V1/Models/small:PREDICT"]
)
def test_the_version_is_optional_and_case_is_free(server, path):
    assert post(server, path, {"inputs": COLUMNS})[0] == 200


def test_every_type_and_base64(server):
    status, answer = ask(server, types())
    row = {
        "whole": 2,
        "exact": 0.1,
        "text": "é",
        "raw_bytes": {"b64": "/w=="},
        "flag": False,
    }
    assert (status, answer) == (200, {"predictions": [row]})


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("0.1", "0.2"),  # as short as float32 allows
        ("0.123456789", "0.246913582"),
        ("4500000", "9e+06"),
        ("1.5e-05", "3e-05"),
        ("50", "100.0"),  # a decimal number stays one
        ("-0.0", "-0.0"),
        ("NaN", "NaN"),  # no JSON, but both sides of the API speak it
        ("-Infinity", "-Infinity"),
    ],
)
def test_how_numbers_are_written(server, number, text):
    body = f'{{"signature_name": "double", "inputs": [{number}]}}'
    _, _, answer = http_ask(server, "POST", PREDICT, body)
    written = answer.split("[")[1].split("]")[0].strip()
    assert written == text


def test_a_whole_number_beyond_64_bits_is_a_decimal_one(server):
    _, answer = ask(server, types(exact=2**70, whole=1))
    assert answer["predictions"][0]["exact"] == 2**70
    status, answer = ask(server, types(exact=2**63 + 1))
    assert status == 400 and "without loss of precision" in answer["error"]
    status, answer = ask(server, types(whole=2**70))
    assert status == 400 and "not of expected type: int32" in answer["error"]


# Status and metadata


@pytest.mark.parametrize("where", ["/versions/1", ""])
def test_status(server, where):
    status, answer = get(server, f"/v1/models/small{where}")
    fine = {"error_code": "OK", "error_message": ""}
    states = [{"version": "1", "state": "AVAILABLE", "status": fine}]
    assert (status, answer) == (200, {"model_version_status": states})


@pytest.mark.parametrize("where", ["/versions/1", ""])
def test_metadata(server, where):
    status, answer = get(server, f"/v1/models/small{where}/metadata")
    assert status == 200
    assert answer["model_spec"] == {
        "name": "small",
        "signature_name": "",
        "version": "1",
    }
    signatures = answer["metadata"]["signature_def"]["signature_def"]
    rgb = signatures["serving_default"]["inputs"]["rgb"]
    assert rgb["dtype"] == "DT_FLOAT"
    assert [d["size"] for d in rgb["tensor_shape"]["dim"]] == ["-1", "3"]
    assert signatures["serving_default"]["method_name"] == "tensorflow/serving/predict"


# Refusals


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("/v1/models/smalls:predict", "Servable not found for request: Latest(smalls)"),
        (
            "/v1/models/small/versions/7:predict",
            "Servable not found for request: Specific(small, 7)",
        ),
    ],
)
def test_unknown_to_predict_by(server, path, sentence):
    assert post(server, path, {"inputs": COLUMNS}) == (404, {"error": sentence})


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("/v1/models/smalls", "Could not find any versions of model smalls"),
        ("/v1/models/small/versions/7", "Could not find version 7 of model small"),
        (
            "/v1/models/smalls/metadata",
            "Servable not found for request: Latest(smalls)",
        ),
    ],
)
def test_unknown_to_tell_of(server, path, sentence):
    assert get(server, path) == (404, {"error": sentence})


@pytest.mark.parametrize(
    "path",
    [
        "/v1/foo",
        "/v1/models/small:predict",
        "/v1/models/small/version/1",
        "/v1/models/small/versions/one",
        "/v1/models/small/versions/1/labels/a",
        "/v1/models/../small",
    ],
)
def test_malformed_paths(server, path):
    status, answer = get(server, path)
    assert (status, answer["error"]) == (400, f"Malformed request: GET {path}")


def test_more_malformed_paths(server):
    assert get(server, "/v1/models")[1] == {"error": "Missing model name in request."}
    sentence = "Malformed request: POST /v1/models/small"
    assert post(server, "/v1/models/small", "") == (400, {"error": sentence})
    huge = 2**64
    sentence = f"Failed to convert version: {huge} to numeric."
    path = f"/v1/models/small/versions/{huge}:predict"
    assert post(server, path, "{}") == (400, {"error": sentence})
    sentence = "Unrecognized servable version label: canary"
    path = "/v1/models/small/labels/canary:predict"
    assert post(server, path, "{}") == (400, {"error": sentence})


def doubled(value):
    return f'{{"signature_name": "double", "inputs": [{value}]}}'


BAD = {
    "": "The document is empty",
    "[1]": "Is not object",
    '{"instances": [1}': "JSON Parse error",
    '{"signature_name": "double", "instances": [1e999]}': "too big",
    doubled("9" * 400): "too big",
    doubled("[" * 65 + "1" + "]" * 65): "",
    doubled("[" * 900 + "1" + "]" * 900): "",
    "\xff": "JSON Parse error",
    '{"instances": 1}': "'instances' to be an list/array",
    '{"instances": []}': "No values in 'instances' array",
    '{"inputs": [1], "instances": [1]}': "only one of",
    '{"signature_name": 1}': "'signature_name' key must be a string",
    '{"signature_name": "none", "inputs": [1]}': 'signature name: "none" not found',
    '{"examples": []}': "Missing 'inputs' or 'instances' key",
    '{"instances": [1]}': "expecting list of objects",
    '{"inputs": [1]}': "expecting an object",
}


@pytest.mark.parametrize("body", BAD)
def test_bodies_that_are_refused(server, body):
    status, answer = ask(server, body.encode("latin-1"))
    assert status == 400 and BAD[body] in answer["error"]


TENSORS = {
    "missing column": ({"inputs": {"rgb": [[1, 2, 3]]}}, "Missing named input: pose"),
    "missing key": (
        {"instances": [{"rgb": [1, 2, 3]}]},
        "keys must be equal to: pose,",
    ),
    "extra key": (
        {"instances": [ROWS[0] | {"audio": [1]}]},
        "does not have named input: audio",
    ),
    "mixed rows": ({"instances": [ROWS[0], [1]]}, "got list at item 1"),
    "other shape later": (
        {"instances": [ROWS[0], {"rgb": [1], "pose": [1, 2]}]},
        "Expecting tensor size: 3 but got: 1",
    ),
    "ragged": ({"inputs": COLUMNS | {"rgb": [[1, 2, 3], [1]]}}, "unexpected size: 1"),
    "too deep": ({"inputs": COLUMNS | {"rgb": [[1, 2, [3]]]}}, "level"),
    "not deep": ({"inputs": COLUMNS | {"rgb": [[1], 2]}}, "found at incorrect level"),
    "text": (
        {"inputs": COLUMNS | {"rgb": [["a", 2, 3]]}},
        "not of expected type: float",
    ),
    "boolean": (
        {"inputs": COLUMNS | {"rgb": [[True, 2, 3]]}},
        "not of expected type: float",
    ),
    "null": ({"inputs": COLUMNS | {"rgb": [[None, 2, 3]]}}, "Type: Null"),
    "not in float32": (
        {"inputs": COLUMNS | {"rgb": [[2**24 + 1, 2, 3]]}},
        "without loss of precision",
    ),
    "fraction": (types(whole=1.5), "not of expected type: int32"),
    "too large": (types(whole=2**31), "not of expected type: int32"),
    "number as flag": (types(flag=1), "not of expected type: bool"),
    "number as text": (types(text=1), "not of expected type: string"),
    "not base64": (types(raw={"b64": "?"}), "base64"),
    "not a base64 object": (types(raw={"b65": ""}), "base64"),
}


@pytest.mark.parametrize("case", TENSORS)
def test_tensors_that_are_refused(server, case):
    body, sentence = TENSORS[case]
    status, answer = ask(server, body)
    assert status == 400 and sentence in answer["error"]


@pytest.mark.parametrize(
    "columns",
    [
        {"rgb": [[1, 2]], "pose": [[1, 2]]},
        {"rgb": [1, 2, 3], "pose": [[1, 2]]},
        {"rgb": [], "pose": []},
        {"rgb": nested(RGB), "pose": nested(POSE[:1])},
    ],
)
def test_shapes_that_do_not_fit(server, columns):
    status, answer = ask(server, {"inputs": columns})
    assert status == 400 and answer["error"]


def test_a_column_too_many_is_passed_over(server):
    body = {"inputs": COLUMNS | {"audio": "anything"}}
    assert ask(server, body)[0] == 200


def test_null_says_that_json_has_no_nan(local):
    _, answer = ask(local, {"signature_name": "double", "inputs": [None]})
    assert answer["error"].endswith("takes the bare word NaN")


def test_only_predictions(local):
    status, answer = post(local, "/v1/models/small:classify", {"examples": []})
    assert status == 501 and "only predicts" in answer["error"]


def test_other_methods_and_places(local):
    assert http_ask(local, "DELETE", "/v1/models/small")[0] == 400
    assert get(local, "/index.html")[0] == 404


def test_sentences_stay_short(local):
    text = "x" * 100_000
    _, answer = ask(local, {"inputs": COLUMNS | {"rgb": text}})
    assert len(json.dumps(answer)) < 500
