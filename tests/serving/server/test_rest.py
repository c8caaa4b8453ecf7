"""The REST API as TensorFlow Serving's documentation has it (api_rest.md).

The status of what is refused is TensorFlow Serving's; the sentence is not."""

import gzip
import json

import numpy as np
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


def test_the_version_is_optional(server):
    path = "/v1/models/small/versions/1:predict"
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
    ("number", "expected"),
    [
        ("0.1", "0.2"),
        ("0.123456789", "0.24691358"),
        ("4500000", "9000000"),
        ("1.5e-05", "3e-05"),
        ("-0.0", "-0.0"),
        ("NaN", "NaN"),  # no JSON, but both sides of the API speak it
        ("-Infinity", "-Infinity"),
    ],
)
def test_numbers_come_back_exactly(server, number, expected):
    body = f'{{"signature_name": "double", "inputs": [{number}]}}'
    _, _, answer = http_ask(server, "POST", PREDICT, body)
    (found,) = json.loads(answer)["outputs"]
    assert str(np.float32(found)) == str(np.float32(expected))


def test_numbers_have_the_digits_of_their_precision(local):
    _, _, answer = http_ask(local, "POST", PREDICT, doubled(0.1))
    assert answer == '{"outputs": [0.2]}'


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


@pytest.mark.parametrize("path", ["smalls", "small/versions/7"])
def test_unknown_models_and_versions(server, path):
    path = f"/v1/models/{path}"
    status, answer = post(server, f"{path}:predict", {"inputs": COLUMNS})
    assert status == 404 and answer["error"]
    for told in (path, f"{path}/metadata"):
        status, answer = get(server, told)
        assert status == 404 and answer["error"]


@pytest.mark.parametrize(
    "path",
    [
        "/v1/foo",
        "/v1/models/small/version/1",
        "/v1/models/small/versions/one",
        f"/v1/models/small/versions/{'9' * 5000}",
        "/v1/models/small/versions/1/labels/a",
        "/v1/models/../small",
        "/v1/models",
    ],
)
def test_malformed_paths(server, path):
    status, answer = get(server, path)
    assert status in (400, 404) and answer["error"]


@pytest.mark.parametrize(
    "path", ["", f"/versions/{2**64}:predict", "/labels/canary:predict"]
)
def test_more_malformed_paths(server, path):
    status, answer = post(server, f"/v1/models/small{path}", '{"inputs": [1]}')
    assert status in (400, 405) and answer["error"]


def doubled(value):
    return f'{{"signature_name": "double", "inputs": [{value}]}}'


BAD = [
    "",
    "[1]",
    '{"instances": [1}',
    doubled("9" * 400),
    doubled("[" * 65 + "1" + "]" * 65),
    doubled("[" * 900 + "1" + "]" * 900),
    "\xff",
    '{"instances": 1}',
    '{"instances": []}',
    '{"inputs": [1], "instances": [1]}',
    '{"signature_name": 1}',
    '{"signature_name": "none", "inputs": [1]}',
    '{"examples": []}',
    '{"instances": [1]}',
    '{"inputs": [1]}',
]


@pytest.mark.parametrize("body", BAD)
def test_bodies_that_are_refused(server, body):
    status, answer = ask(server, body.encode("latin-1"))
    assert status == 400 and answer["error"]


TENSORS = {
    "missing column": {"inputs": {"rgb": [[1, 2, 3]]}},
    "missing key": {"instances": [{"rgb": [1, 2, 3]}]},
    "extra key": {"instances": [ROWS[0] | {"audio": [1]}]},
    "mixed rows": {"instances": [ROWS[0], [1]]},
    "other shape later": {"instances": [ROWS[0], {"rgb": [1], "pose": [1, 2]}]},
    "ragged": {"inputs": COLUMNS | {"rgb": [[1, 2, 3], [1]]}},
    "too deep": {"inputs": COLUMNS | {"rgb": [[1, 2, [3]]]}},
    "not deep": {"inputs": COLUMNS | {"rgb": [[1], 2]}},
    "text": {"inputs": COLUMNS | {"rgb": [["a", 2, 3]]}},
    "null": {"inputs": COLUMNS | {"rgb": [[None, 2, 3]]}},
    "not in float32": {"inputs": COLUMNS | {"rgb": [[1e39, 2, 3]]}},
    "fraction": types(whole=1.5),
    "too large": types(whole=2**31),
    "beyond 64 bits": types(whole=2**70),
    "number as flag": types(flag=1),
    "number as text": types(text=1),
    "not base64": types(raw={"b64": "?"}),
    "not a base64 object": types(raw={"b65": ""}),
}


@pytest.mark.parametrize("case", TENSORS)
def test_tensors_that_are_refused(server, case):
    status, answer = ask(server, TENSORS[case])
    assert status == 400 and answer["error"]


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
    assert "the bare word NaN" in answer["error"]


def test_a_body_may_be_gzip(server):
    body = gzip.compress(json.dumps({"inputs": COLUMNS}).encode())
    headers = {"Content-Encoding": "gzip"}
    status, _, text = http_ask(server, "POST", PREDICT, body, headers)
    assert status == 200 and json.loads(text)["outputs"]["scores"] == SCORES


def test_gzip_that_is_none(local):
    headers = {"Content-Encoding": "gzip"}
    assert http_ask(local, "POST", PREDICT, b"{}", headers)[0] == 400


def test_gzip_that_is_cut_off(local):
    body = gzip.compress(json.dumps({"inputs": COLUMNS}).encode())[:-9]
    headers = {"Content-Encoding": "gzip"}
    status, _, text = http_ask(local, "POST", PREDICT, body, headers)
    assert status == 400 and "cut off" in json.loads(text)["error"]


@pytest.mark.parametrize(
    ("host", "status"),
    [("localhost:1", 200), ("127.0.0.1", 200), ("[::1]:9", 200), ("evil.com", 400)],
)
def test_a_name_of_the_web_is_not_this_machine(local, host, status):
    asked = http_ask(local, "GET", "/v1/models/small", headers={"Host": host})
    assert asked[0] == status


def test_other_methods_and_places(local):
    assert http_ask(local, "DELETE", "/v1/models/small")[0] == 405
    assert get(local, "/index.html")[0] == 404


def test_sentences_stay_short(local):
    text = "x" * 100_000
    _, answer = ask(local, {"inputs": COLUMNS | {"rgb": text}})
    assert len(json.dumps(answer)) < 500
