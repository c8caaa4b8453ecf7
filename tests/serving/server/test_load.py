"""The load that `benchmarks.serving` measures under."""

import json
import shutil

import pytest

from benchmarks.load import load, summary

JSON = {"content-type": "application/json"}


def test_summary():
    assert summary([*range(101)], seconds=2) == (50.5, 50.0, 99.0)


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("h2load"), reason="h2load is not installed")
@pytest.mark.parametrize(("inputs", "fails"), [([1.5], False), ("text", True)])
def test_load(local, tmp_path, inputs, fails):
    body = tmp_path / "body"
    body.write_text(json.dumps({"signature_name": "double", "inputs": inputs}))
    url = f"{local.rest}/v1/models/small:predict"
    asked = {"headers": JSON, "connections": 1, "seconds": 1, "http1": True}
    if fails:
        with pytest.raises(RuntimeError, match="not all were answered"):
            load(url, body, **asked)
    else:
        measured = load(url, body, **asked)
        assert measured.per_second > 0 and 0 < measured.p50 <= measured.p99
