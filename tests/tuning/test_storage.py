"""Trials that keep their checkpoints away from the machine that trains them."""

import dataclasses
import os
import signal

import fsspec
import numpy as np
import pytest

from keras_fusion import tuning
from keras_fusion.common.errors import InputError
from keras_fusion.experiments import engines, recipes, single_run, training
from keras_fusion.tuning import storage, trials
from tests.experiments import runs
from tests.tuning.test_search import TEXT

pytestmark = pytest.mark.only_on("torch", reason="no matter of the backend")


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    """Checkpoints after each epoch, and without compiling."""
    monkeypatch.setitem(training.fit.__kwdefaults__, "checkpoint_every", 0)
    monkeypatch.setattr(single_run, "fast_settings", lambda steps: {})


@pytest.fixture
def memory():
    """The address of an empty store in this process."""
    system = fsspec.filesystem("memory")
    system.store.clear()
    yield "memory://kept"
    system.store.clear()


def task_of(folder, address, epochs=5, seeds=(0,)):
    recipe = recipes.read(str(runs.write(folder / "data")))
    recipe = recipes.changed(recipe, epochs=epochs, seeds=seeds)
    data = [recipes.load_data(recipe, s) for s in seeds]
    return trials.Task(
        recipe, epochs, None, folder / "runs", "0000", None, address
    ), data


def dying_after(epochs, monkeypatch):
    """Kills what trains after so many epochs, once; the epochs that are seen."""
    sent, seen = storage.Kept.on_epoch_end, []

    def on_epoch_end(self, epoch, logs=None):
        sent(self, epoch, logs)
        seen.append(epoch)
        if len(seen) == epochs:
            raise KeyboardInterrupt

    monkeypatch.setattr(storage.Kept, "on_epoch_end", on_epoch_end)
    return seen


def test_a_trial_goes_on_without_its_folder(tmp_path, memory, monkeypatch):
    task, data = task_of(tmp_path, memory)
    undisturbed = trials.run(dataclasses.replace(task, storage=None), *data)
    seen = dying_after(3, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        trials.run(task, *data)
    assert any("checkpoint" in p for p in fsspec.filesystem("memory").find("kept"))
    found = trials.run(task, *data)
    assert seen == [0, 1, 2, 3, 4]
    assert found.status == "completed" and found.curve == undisturbed.curve
    kept = {p.rpartition("/")[2] for p in fsspec.filesystem("memory").find("kept")}
    assert kept == {
        *("validation.npy", "fit.json", "model.weights.h5", "training.keras"),
    }
    assert trials.run(task, *data).scores == found.scores
    assert seen == [0, 1, 2, 3, 4]  # it was found done


def test_a_seed_that_has_ended_is_not_trained_again(tmp_path, memory, monkeypatch):
    task, data = task_of(tmp_path, memory, epochs=2, seeds=(0, 1))
    seen = dying_after(3, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        trials.run(task, *data)
    assert len(trials.run(task, *data).scores) == 2
    assert seen == [0, 1, 0, 1]


def test_a_search_has_the_same_trials_and_files_with_it(tmp_path, memory):
    text = "usual_baselines = false\n" + TEXT
    search = tuning.changed(tuning.read(str(runs.write(tmp_path, text))), trials=3)
    here = tuning.search(search, tmp_path / "here")
    kept = tuning.search(search, tmp_path / "kept", storage=memory)
    assert [t.scores for t in kept] == [t.scores for t in here]
    for trial in kept:
        own, other = (
            trials.folder_of(tmp_path / name, trial.trial) for name in ("kept", "here")
        )
        files = {p.relative_to(own) for p in own.rglob("*")}
        assert files == {
            p.relative_to(other) for p in other.rglob("*") if p.name != "lock"
        }
        np.testing.assert_array_equal(
            np.load(own / trials.OUTPUTS), np.load(other / trials.OUTPUTS)
        )
    system = fsspec.filesystem("memory")
    assert system.exists("kept/tiny/search.json")
    # Another driver, which knows nothing, finds what is there.
    before = {p: system.created(p) for p in system.find("kept/tiny")}
    assert len(tuning.search(search, tmp_path / "new", storage=memory)) == 3
    after = {p: system.created(p) for p in system.find("kept/tiny")}
    changed = {p.rpartition("/")[2] for p in before if before[p] != after[p]}
    assert changed == {"search.json", "validation.npy"}


def test_what_somebody_else_removed_is_no_fault(tmp_path, memory):
    system, path = fsspec.filesystem("memory"), tmp_path / "checkpoint.npz"
    path.write_bytes(b"1")
    kept = storage.Kept(memory, tmp_path)
    kept.send()
    system.rm_file("kept/checkpoint.npz")
    path.unlink()
    kept.send()
    assert not system.find("kept")


def test_what_is_removed_while_it_is_fetched_is_no_fault(tmp_path, memory, monkeypatch):
    system = fsspec.filesystem("memory")
    system.pipe("kept/fit.json", b"1")
    listed = ["/kept/checkpoint.npz", "/kept/fit.json"]
    monkeypatch.setattr(type(system), "find", lambda self, path: listed)
    storage.Kept(memory, tmp_path).fetch()
    assert [path.name for path in tmp_path.iterdir()] == ["fit.json"]


@pytest.mark.parametrize(
    "address, error, sentence",
    [
        ("nowhere://x", InputError, "storage nowhere://x/tiny: Protocol not known"),
        ("{file}/x", OSError, "cannot be read or written .*the same command goes on"),
    ],
)
def test_an_address_where_nothing_is_kept_is_refused(
    tmp_path, address, error, sentence
):
    search = tuning.read(str(runs.write(tmp_path, TEXT)))
    (tmp_path / "file").touch()
    address = address.format(file=tmp_path / "file")
    with pytest.raises(error, match=sentence):
        tuning.search(search, tmp_path / "runs", storage=address)


def work(task, data, counted):
    """A trial whose process is killed once, as its third epoch ends."""
    training.fit.__kwdefaults__["checkpoint_every"] = 0
    sent = storage.Kept.on_epoch_end

    def on_epoch_end(self, epoch, logs=None):
        sent(self, epoch, logs)
        before = counted.read_text()
        counted.write_text(f"{before}{epoch}")
        if epoch == 2 and "2" not in before:
            os.kill(os.getpid(), signal.SIGKILL)

    storage.Kept.on_epoch_end = on_epoch_end
    return trials.run(task, data)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_who_is_killed_on_ray_goes_on(tmp_path, monkeypatch):
    pytest.importorskip("ray")
    monkeypatch.setenv("RAY_worker_niceness", "0")  # a busy machine starves the others
    address = f"file://{tmp_path}/kept"
    task, (data,) = task_of(tmp_path, address)
    (tmp_path / "counted").touch()
    with engines.OnRay(work, workers=1) as engine:
        engine.start("one", task, engine.share(data), tmp_path / "counted")
        _, found = engine.wait()
    assert (tmp_path / "counted").read_text() == "01234"
    assert found.status == "completed" and found.epochs == 5
    assert not (tmp_path / "runs").exists()
