"""A batch in parts gives the numbers of the whole batch."""

import keras
import numpy as np
import pytest

from keras_fusion.common.errors import InputError
from keras_fusion.experiments import checkpoint, single_run, training, variants
from keras_fusion.experiments.batches import Batches
from keras_fusion.experiments.devices import check_shared
from tests.conftest import assert_close
from tests.experiments import runs

NO_DRAWS = {"dropout": 0.0, "modality_dropout": 0.0}


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return runs.write(tmp_path_factory.mktemp("recipe"))


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Compiles less: XLA takes seconds for what then runs for milliseconds."""
    monkeypatch.setattr(single_run, "fast_settings", lambda steps: {})


def fit(path, folder, parts):
    """The history and the weights of a short run, in which nothing is drawn.

    It has Adam's moments, weights that decay, and a rate that falls at every batch.
    """
    recipe, data = runs.load(
        path, epochs=2, patience=0, weight_decay=1e-1, batch_parts=parts
    )
    recipe = variants.with_arguments(recipe, NO_DRAWS)
    record = training.fit(recipe, data, 0, folder, checkpoint_every=0)
    model = keras.saving.load_model(folder / single_run.TRAINED, compile=False)
    return record.history, model.get_weights()


def test_parts_train_as_the_whole_batch_does_also_after_a_kill(
    path, tmp_path, monkeypatch
):
    history, weights = fit(path, tmp_path / "whole", 1)
    parts, same = fit(path, tmp_path / "parts", 4)
    for key, values in history.items():
        assert_close(np.array(parts[key]), np.array(values))
    for x, y in zip(same, weights, strict=True):
        assert_close(x, y)

    def stop(self, epoch, logs=None, save=checkpoint.Checkpoint.on_epoch_end):
        save(self, epoch, logs)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(checkpoint.Checkpoint, "on_epoch_end", stop)
        fit(path, tmp_path / "stopped", 4)
    again, exact = fit(path, tmp_path / "stopped", 4)
    assert again == parts
    for x, y in zip(exact, same, strict=True):
        np.testing.assert_array_equal(x, y)


def test_parts_hold_the_rows_of_their_batch(path):
    recipe, data = runs.load(path)
    model = variants.build(recipe, data, modality_mask=True)
    whole = Batches(data.train, model, 16, seed=0)
    parts = Batches(data.train, model, 16, seed=0, parts=4)
    assert len(parts) == 4 * len(whole)
    for i, (_, labels) in enumerate(whole[j] for j in range(len(whole))):
        own = [parts[4 * i + j][1] for j in range(4)]
        np.testing.assert_array_equal(np.concatenate(own), labels)


def test_parts_that_do_not_fit_are_refused(path, monkeypatch):
    _, data = runs.load(path)
    with pytest.raises(InputError, match="in 3 batch_parts: .* multiple of 3; .* 16"):
        check_shared(data, 16, 3)
    with pytest.raises(InputError, match="rows that train, too few for 1 devices and"):
        check_shared(data, 1000, 1000)
    monkeypatch.setattr("keras_fusion.experiments.devices.replicas", lambda: 2)
    monkeypatch.setattr(keras.backend, "backend", lambda: "tensorflow")
    with pytest.raises(InputError, match="on TensorFlow: set batch_parts = 1"):
        check_shared(data, 16, 4)
