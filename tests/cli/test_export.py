import json

import numpy as np
import pytest

from keras_fusion import export
from keras_fusion.cli import main as cli
from keras_fusion.experiments import kept_rows, prediction
from tests.cli.running import run, succeed
from tests.cli.test_predict import features
from tests.experiments import runs


@pytest.mark.slow
@pytest.mark.only_on("tensorflow", reason="test_export has the other routes")
def test_an_export_predicts_the_same(trained, home, tmp_path):
    output = tmp_path / "saved" / "tiny"
    out = succeed("export", home, "--runs", home / "runs", "--output", output)
    assert str(output / "1") in out
    options = ["--json", "--contributions"]  # the first file tells of all
    for path in features(tmp_path):
        own = json.loads(succeed("predict", trained[0], path, *options))
        served = json.loads(succeed("predict", output, path, *options))
        assert own.keys() == served.keys()
        assert own["class_names"] == served["class_names"]
        for key in {"probabilities", "modality_weights", "contributions"} & own.keys():
            np.testing.assert_allclose(served[key], own[key], atol=1e-5)
        options = options[:1]
    own, served = (succeed("predict", m, path) for m in (trained[0], output))
    assert own.startswith(served)  # and says how to load it in Python
    single = tmp_path / "single.json"  # nothing tells the width of what is absent
    single.write_text(json.dumps([{"a": None, "b": [1, 2, 3]}]))
    own, served = (
        succeed("predict", m, single, "--json") for m in (trained[0], output)
    )
    np.testing.assert_allclose(
        json.loads(served)["probabilities"], json.loads(own)["probabilities"], atol=1e-5
    )
    _verify(output, trained[0])


def _verify(output, model):
    """The manifest knows the run, and `verify` finds what is damaged."""
    manifest = export.verify(output / "1")
    record = json.loads((model.parent / "fit.json").read_text())
    assert manifest["recipe"] == record["identity"]
    assert manifest["metrics"]["validation"] == record["validation"]
    assert export.metrics(output) == manifest["metrics"]
    assert "network_share" in manifest["metrics"]  # `predict` says it
    assert "embedding" in manifest["signatures"]
    out = succeed("verify", output)
    assert f"{output / '1'}: {len(manifest['files'])} files, each as it was" in out
    file = output / "1" / "saved_model.pb"
    content = file.read_bytes()
    file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    status, out, err = run("verify", output)
    assert (status, out) == (2, "")
    assert err == f"keras-fusion: error: {file} is not as it was exported.\n"
    file.write_bytes(content)


def test_train_keeps_raw_rows_to_compare_on(trained):
    rows = kept_rows.samples(trained[0])
    assert {name: x.shape for name, x in rows.items()} == {"a": (16, 5), "b": (16, 3)}
    known = runs.arrays()
    for row in range(16):
        near = [np.isclose(known[m], rows[m][row], atol=1e-5) for m in rows]
        same = [(x | np.isnan(known[m])).all(axis=1) for m, x in zip(rows, near)]
        assert np.logical_and(*same).any()  # it is a row of the data
    assert kept_rows.samples(trained[0].parent / "other" / "model.keras") is None


def test_what_is_saved_answers_as_what_was_trained(trained):
    rows, expected = kept_rows.samples(trained[0]), kept_rows.trained(trained[0])
    assert list(expected) == ["probabilities"]
    found = prediction.predict(trained[0], rows)["probabilities"]
    np.testing.assert_allclose(found, expected["probabilities"], atol=1e-5)


def test_a_model_that_lost_its_scale_is_not_exported(trained, tmp_path, monkeypatch):
    rows = kept_rows.samples(trained[0])
    wrong = {name: 3 * x for name, x in rows.items()}
    monkeypatch.setattr(kept_rows, "samples", lambda path: wrong)
    status, _, err = run("export", trained[0], "--output", tmp_path / "out")
    assert status == 2 and "asked what it was asked after its training" in err
    assert list((tmp_path / "out").glob("*")) == []


def test_options_reach_the_export(trained, tmp_path, monkeypatch):
    found = {}

    def stand_in(model, folder, **options):
        found.update(options, model=model)
        return folder

    monkeypatch.setattr(export, "export", stand_in)
    (rows,) = features(tmp_path)[:1]
    options = "--formats onnx litert --warmup 1 64 --xla 8 --version 3 --output out"
    succeed("export", trained[0], *options.split(), "--samples", rows)
    assert found["formats"] == ["onnx", "litert"] and found["version"] == 3
    assert (found["warmup_batches"], found["xla_batches"]) == ([1, 64], [8])
    answered = found["trained"]["probabilities"]
    assert len(found["samples"]["a"]) == len(answered) + 4  # behind those of training
    assert found["labels"] == ["blue", "green", "red"]


def test_a_backend_that_is_not_installed(monkeypatch):
    real = cli.importlib.import_module

    def missing(name):
        if name == "keras":
            raise ModuleNotFoundError("No module named 'jax'", name="jax")
        return real(name)

    monkeypatch.setenv("KERAS_BACKEND", "jax")
    monkeypatch.setattr(cli.importlib, "import_module", missing)
    status, _, err = run("export", "model.keras")
    assert status == 2 and err.count("\n") == 1
    assert "KERAS_BACKEND is 'jax', which is not installed: pip install" in err
