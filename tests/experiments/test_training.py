import dataclasses
import gc
import os
import signal
import subprocess
import sys

import h5py
import keras
import numpy as np
import pytest

from keras_fusion.common.errors import InputError
from keras_fusion.common.files import alone_in
from keras_fusion.experiments import (
    checkpoint,
    comparison,
    measures,
    recipes,
    single_run,
    training,
    variants,
)
from keras_fusion.experiments import record as records
from keras_fusion.experiments.batches import Batches, model_inputs
from keras_fusion.experiments.evaluation import full_outputs
from keras_fusion.export import portable
from tests.experiments import runs

# Killed as it replaces its third checkpoint, of epoch 3 of 4, by a new one.
KILLED = """
import os, pathlib, signal, sys
from keras_fusion.common import files
from keras_fusion.experiments import training
from tests.experiments import runs

saved, replace = [], os.replace

def replace_or_die(source, target):
    saved.append(target)
    if len(saved) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    replace(source, target)

files.os.replace = replace_or_die
recipe, data = runs.load(pathlib.Path(sys.argv[1]), epochs=4)
training.fit(recipe, data, 0, pathlib.Path(sys.argv[2]), checkpoint_every=0)
"""


@pytest.fixture(scope="session")
def path(tmp_path_factory):
    return runs.write(tmp_path_factory.mktemp("recipe"))


@pytest.fixture(scope="session")
def finished(path, tmp_path_factory):
    """The folder and record of a run of four epochs that nothing stopped."""
    folder = tmp_path_factory.mktemp("runs") / "finished"
    return folder, training.fit(*runs.load(path, epochs=4), 0, folder)


@pytest.fixture
def quick(monkeypatch):
    """Compiles less: XLA takes seconds for what then runs for milliseconds."""
    monkeypatch.setattr(single_run, "fast_settings", lambda steps: {})


def weights(folder):
    found = {}

    def visit(key, x):
        if isinstance(x, h5py.Dataset):
            found[key] = x[()]

    with h5py.File(folder / single_run.WEIGHTS) as file:
        file.visititems(visit)
    return found


def assert_same(first, second):
    first, second = weights(first), weights(second)
    assert first.keys() == second.keys()
    for key in first:
        np.testing.assert_array_equal(first[key], second[key], key)


def stop_after(epoch, monkeypatch):
    """Stands in for a kill: the checkpoint of this epoch is the last thing done."""
    save = checkpoint.Checkpoint.on_epoch_end

    def save_and_stop(self, current, logs=None):
        save(self, current, logs)
        if current == epoch:
            raise KeyboardInterrupt

    monkeypatch.setattr(checkpoint.Checkpoint, "on_epoch_end", save_and_stop)


def test_the_record(finished, path):
    folder, record = finished
    assert records.read(folder) == record
    assert record.epochs == 4
    assert record.validation == max(record.history["val_accuracy"]) > 0.5
    assert {len(values) for values in record.history.values()} == {4}
    names = sorted(p.name for p in folder.iterdir())
    assert names == ["fit.json", "lock", "model.weights.h5", "training.keras"]
    model = comparison.trained(*runs.load(path), folder)
    assert record.parameters == model.count_params()
    assert not any("optimizer" in key for key in weights(folder))


def test_the_weights_are_those_that_validated(finished, path):
    folder, record = finished
    recipe, data = runs.load(path)
    model = comparison.trained(recipe, data, folder)
    inputs = model_inputs(model, data.validation.inputs)
    right = model.predict(inputs, verbose=0).argmax(axis=-1) == data.validation.labels
    assert right.mean() == pytest.approx(record.validation)


def test_the_seed_decides(finished, path, tmp_path):
    training.fit(*runs.load(path, epochs=4), 0, tmp_path / "again")
    assert_same(finished[0], tmp_path / "again")


@pytest.mark.slow
def test_a_killed_run_goes_on(finished, path, tmp_path):
    folder = tmp_path / "killed"
    process = subprocess.run(
        [sys.executable, "-c", KILLED, path, folder],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(["."] + sys.path)},
        capture_output=True,
        text=True,
    )
    assert process.returncode == -signal.SIGKILL, process.stderr
    partial, *names = sorted(p.name for p in folder.iterdir())
    assert ".partial-" in partial and names == ["checkpoint.npz", "lock"]
    record = training.fit(*runs.load(path, epochs=4), 0, folder)
    assert_same(finished[0], folder)
    assert record.history == finished[1].history
    names = sorted(p.name for p in folder.iterdir())
    assert names == ["fit.json", "lock", "model.weights.h5", "training.keras"]


def test_what_is_left_can_be_fitted_further(finished, path):
    model = portable.load(finished[0] / single_run.TRAINED)
    recipe, data = runs.load(path, epochs=4)
    batches = Batches(data.train, model, 16, seed=0)
    assert int(model.optimizer.iterations) == 4 * len(batches)
    rate = keras.ops.convert_to_numpy(model.optimizer.learning_rate)
    assert rate == pytest.approx(recipe.training.learning_rate)  # not zero
    trained = weights(finished[0]).values()
    assert {x.shape for x in model.get_weights()} == {x.shape for x in trained}
    moments = [np.asarray(x) for x in model.optimizer.variables[1:]]
    assert all(np.abs(x).sum() > 0 for x in moments)
    before = model.get_weights()
    model.fit(batches, verbose=0)
    assert all(np.any(a != b) for a, b in zip(before, model.get_weights(), strict=True))


def test_bfloat16(path, tmp_path, quick):
    record = training.fit(*runs.load(path), 0, tmp_path, precision="mixed_bfloat16")
    assert record.history["loss"][-1] < record.history["loss"][0]
    assert keras.config.dtype_policy().name == "float32"  # as it was


def test_float16_goes_on_with_its_loss_scale(path, tmp_path, monkeypatch, quick):
    arguments = *runs.load(path), 0
    options = {"precision": "mixed_float16", "checkpoint_every": 0}
    record = training.fit(*arguments, tmp_path / "whole", **options)
    assert record.history["loss"][-1] < record.history["loss"][0]
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        stop_after(1, patch)
        training.fit(*arguments, tmp_path / "stopped", **options)
    training.fit(*arguments, tmp_path / "stopped", **options)
    assert_same(tmp_path / "whole", tmp_path / "stopped")


def test_an_unknown_precision(path, tmp_path):
    with pytest.raises(ValueError, match="one of float32, .* received 'float8'"):
        training.fit(*runs.load(path), 0, tmp_path, precision="float8")


def test_a_finished_run_is_found_done(finished, path, monkeypatch):
    folder, record = finished
    monkeypatch.setattr(variants, "build", None)  # nothing is built, nothing trained
    assert training.fit(*runs.load(path, epochs=4), 0, folder) == record


@pytest.mark.only_on("torch", reason="no backend changes it")
@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"epochs": 5}, r"training\.epochs \(4 there, 5 now\): repeat the options"),
        ({"batch_size": 8}, r"training\.batch_size \(16 there, 8 now\): "),
        ({}, r"seed \(0 there, 1 now\), precision \(float32 there, mixed_float16 now"),
    ],
)
def test_another_run_in_the_folder(finished, path, change, what):
    before = weights(finished[0])
    seed, precision = (0, "float32") if change else (1, "mixed_float16")
    recipe, data = runs.load(path, **{"epochs": 4} | change)
    with pytest.raises(ValueError, match=f"differs in {what}"):
        training.fit(recipe, data, seed, finished[0], precision=precision)
    assert all(np.all(before[k] == x) for k, x in weights(finished[0]).items())


@pytest.mark.only_on("torch", reason="no backend changes it")
def test_one_process_at_a_time_is_at_a_run(path, tmp_path, monkeypatch):
    monkeypatch.setattr(keras.Model, "fit", None)  # said before the work
    with alone_in(tmp_path), pytest.raises(InputError, match="Another process is at"):
        training.fit(*runs.load(path), 0, tmp_path)


def test_no_model_stays_in_memory(path, tmp_path, quick):
    def models():
        keras.utils.clear_session()
        gc.collect()
        return sum(issubclass(type(x), keras.Model) for x in gc.get_objects())

    before = models()
    training.fit(*runs.load(path, epochs=1), 0, tmp_path)
    assert models() == before


@pytest.fixture
def stopped(path, tmp_path, monkeypatch, quick):
    """The folder of a run that ended after its first checkpoint."""
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        stop_after(0, patch)
        training.fit(*runs.load(path), 0, tmp_path / "run", checkpoint_every=0)
    return tmp_path / "run"


def test_early_stopping_keeps_the_best_and_goes_on_after_a_kill(
    path, tmp_path, monkeypatch, quick
):
    arguments = *runs.load(path, epochs=40, patience=2, learning_rate=0.1), 0
    record = training.fit(*arguments, tmp_path / "whole")
    scores, losses = (record.history[f"val_{key}"] for key in ("accuracy", "loss"))
    best = max(range(len(scores)), key=lambda e: (scores[e], -losses[e]))
    better = max(best, losses.index(min(losses)))
    assert record.best_epoch == best + 1
    assert record.epochs == len(scores) == better + 1 + 2 < 40
    assert record.validation == max(scores)
    model = comparison.trained(*arguments[:2], tmp_path / "whole")
    outputs = full_outputs(model, arguments[1].validation)
    right = outputs.argmax(axis=-1) == arguments[1].validation.labels
    assert right.mean() == pytest.approx(max(scores))  # not of the last epoch

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        stop_after(record.best_epoch, patch)  # one epoch after the best
        training.fit(*arguments, tmp_path / "killed", checkpoint_every=0)
    assert training.fit(*arguments, tmp_path / "killed").history == record.history
    assert_same(tmp_path / "whole", tmp_path / "killed")


def test_validation_watches_what_the_recipe_names(path, tmp_path, quick):
    recipe, data = runs.load(path, patience=1, epochs=2)
    recipe = recipes.changed(recipe, metric="balanced accuracy")
    record = training.fit(recipe, data, 0, tmp_path / "run")
    assert record.metric == "balanced accuracy"
    outputs = full_outputs(
        comparison.trained(recipe, data, tmp_path / "run"), data.validation
    )
    found = measures.balanced_accuracy(data.validation.labels, outputs)
    assert record.validation == pytest.approx(found)
    with pytest.raises(ValueError, match="No metric 'F1'.*There are: accuracy, "):
        training.fit(recipes.changed(recipe, metric="F1"), data, 0, tmp_path / "no")


@pytest.mark.only_on("torch", reason="no backend changes it")
def test_a_checkpoint_that_does_not_fit(stopped, path):
    file = stopped / "checkpoint.npz"
    content = file.read_bytes()
    with pytest.raises(ValueError, match="checkpoint.npz .* differs in training"):
        training.fit(*runs.load(path, learning_rate=0.5), 0, stopped)
    for broken in (b"", content[: len(content) // 2], content.replace(b"{", b"")):
        file.write_bytes(broken)
        with pytest.raises(ValueError, match="checkpoint.npz is broken .*delete it"):
            training.fit(*runs.load(path), 0, stopped)
        assert file.read_bytes() == broken


def test_a_record_that_is_not_whole(finished, path, tmp_path):
    content = (finished[0] / records.FILE).read_text()
    (tmp_path / records.FILE).write_text(content[:99])
    with pytest.raises(ValueError, match="fit.json is broken"):
        training.fit(*runs.load(path, epochs=4), 0, tmp_path)


def test_labels_out_of_range(path, tmp_path):
    recipe, data = runs.load(path)
    for wrong in (3, -1):
        labels = np.where(data.train.labels == 2, wrong, data.train.labels)
        train = dataclasses.replace(data.train, labels=labels)
        with pytest.raises(ValueError, match="labels must be 0 to 2; received"):
            training.fit(recipe, dataclasses.replace(data, train=train), 0, tmp_path)


def test_a_run_that_diverges_is_no_result(path, tmp_path, quick):
    recipe, data = runs.load(path, optimizer="sgd", learning_rate=1e30)
    with pytest.raises(ValueError, match="validation loss of (nan|inf).*lower"):
        training.fit(recipe, data, 0, tmp_path)
    assert not (tmp_path / records.FILE).exists()


def test_a_folder_that_cannot_be_made(path, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("mine")
    monkeypatch.setattr(keras.Model, "fit", None)  # said before the work
    with pytest.raises(OSError):
        training.fit(*runs.load(path), 0, tmp_path / "file" / "run")
    assert (tmp_path / "file").read_text() == "mine"


def test_an_unknown_optimizer(path, tmp_path):
    with pytest.raises(ValueError, match="adamm"):
        training.fit(*runs.load(path, optimizer="adamm"), 0, tmp_path)
