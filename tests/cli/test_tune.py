"""`keras-fusion tune` as a user calls it."""

import re
import signal
import subprocess
import sys
import time

import pytest

from keras_fusion.cli import promote
from keras_fusion.cli import tune as command
from keras_fusion.experiments import recipes
from keras_fusion.tuning import promotion, trials
from keras_fusion.tuning.results import read
from tests.cli.running import run, succeed
from tests.experiments import runs
from tests.tuning.test_search import TEXT


def test_the_leaderboard_names_the_baselines(tmp_path, quick, monkeypatch):
    compiled = []
    monkeypatch.setattr(trials, "keep_compiled", compiled.append)
    path = runs.write(tmp_path, TEXT)
    out = succeed("tune", path, "--trials", 3, "--runs", tmp_path / "runs")
    assert "3 trials completed" in out and "(3 of 3, about 0 min left)" in out
    # What Katib's metrics collector takes by default, one line for each trial.
    scores = re.findall(r"^([\w|-]+)\s*=\s*([+-]?\d*(?:\.\d+)?)$", out, re.M)
    assert [name for name, _ in scores] == ["score"] * 3
    assert {*compiled} == {tmp_path / "runs" / "tiny" / ".compiled"}
    results = read(tmp_path / "runs" / "tiny" / "results.json")
    assert [t.trial for t in results.trials] == ["0000", "0001", "0002"]
    assert {*results.references} == {"linear model", "gradient boosting"}
    assert set(results.ensemble.weights) <= {"0000", "0001", "0002"}
    assert (
        "gradient boosting" in out
        and results.backend
        and results.search.search.trials == 3
    )
    again = succeed("tune", path, "--trials", 3, "--runs", tmp_path / "runs")
    assert "trial 0" not in again  # nothing is left to run


@pytest.mark.only_on("torch", reason="a search is the same on each")
def test_a_space_that_is_exhausted_says_so(tmp_path, quick):
    names = "dropout", "modality_dropout", "learning_rate", "weight_decay"
    lines = ["depth = [1, 1]", *(f"{name} = [0.1, 0.1]" for name in names)]
    text = TEXT.replace("[space]", "\n".join(["[space]", *lines]))
    text = text.replace('"AdaptiveWeighting", "Concatenation"', "")  # four points
    path = runs.write(tmp_path, "usual_baselines = false\n" + text)
    out = succeed("tune", path, "--trials", 40, "--runs", tmp_path / "runs")
    assert "The space is exhausted" in out and "trials completed" in out


ENDLESS = "epochs = 300000\npatience = 0"
# A shell's background process, and what it starts, is deaf to Ctrl-C.
HEEDS = """
import signal, sys
from keras_fusion.cli.main import main
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.exit(main())
"""


def pressed(process):
    """What it says at the end; who sees no end presses Ctrl-C again.

    Python drops an interruption that falls into a finaliser.
    """
    for _ in range(10):
        process.send_signal(signal.SIGINT)
        try:
            return process.communicate(timeout=20)[1]
        except subprocess.TimeoutExpired:
            pass
    raise AssertionError("It does not heed Ctrl-C.")


@pytest.mark.slow
@pytest.mark.only_on("torch", reason="no backend changes it")
def test_ctrl_c_ends_in_one_sentence(tmp_path):
    path = runs.write(tmp_path, TEXT.replace("epochs = 1", ENDLESS))
    folder = tmp_path / "runs" / "tiny"
    process = subprocess.Popen(
        [sys.executable, "-c", HEEDS, "tune", path, "--runs", tmp_path / "runs"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    # Before its first checkpoint Keras collects garbage, and there JAX loses signals.
    try:
        while not list(folder.glob("trials/*/seed-0/checkpoint.npz")):
            assert process.poll() is None
            time.sleep(0.05)
        err = pressed(process)
    finally:
        process.kill()  # of 300,000 epochs
    assert process.returncode == 130
    assert err == "keras-fusion: stopped; the same command resumes it.\n"


def test_options_reach_the_search(tmp_path, monkeypatch):
    found = {}

    def stand_in(search, folder, report, **options):
        found.update(options)
        raise KeyboardInterrupt

    monkeypatch.setattr(command.tuning, "search", stand_in)
    options = "--workers 3 --address ray://head:10001 --gpus-per-trial 0.5"
    options += " --storage s3://bucket/path"
    run("tune", runs.write(tmp_path, TEXT), *options.split(), "--runs", tmp_path)
    assert found == {
        "workers": 3,
        "address": "ray://head:10001",
        "gpus": 0.5,
        "storage": "s3://bucket/path",
    }


def test_bad_input(tmp_path):
    status, _, err = run("tune", tmp_path / "nowhere")
    assert status == 2 and "There is no search" in err
    path = runs.write(tmp_path, TEXT)
    label = run("tune", path, "--label", "z", "--runs", tmp_path / "runs")
    assert label[0] == 2 and "no label 'z'" in label[2]
    assert not (tmp_path / "runs").exists()
    status, _, err = run("tune", path, "--tuner", "grid")
    assert status == 2 and "tuner must be auto, hyperband" in err


def interrupted(*args):
    raise KeyboardInterrupt


@pytest.mark.slow
@pytest.mark.only_on("torch", reason="no backend changes it")
def test_from_two_searches_to_a_recipe(tmp_path, quick, monkeypatch):
    """Report, test against the other search, and the winner as a recipe."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(command, "SEEDS", (0, 1))
    monkeypatch.setattr(promotion, "SEEDS", [0])
    exported = []
    monkeypatch.setattr(
        promote.export, "export", lambda *args, **_: exported.append(args)
    )
    path = runs.write(tmp_path, TEXT)
    other = tmp_path / "other.toml"
    lines = path.read_text().replace("[space]", '[space]\nfusion = ["Concatenation"]')
    kept = [line for line in lines.splitlines() if "Summation" not in line]
    other.write_text("usual_baselines = false\n" + "\n".join(kept))
    options = "--trials", 2, "--runs", tmp_path / "runs"
    _, out, err = run("tune", path, *options, "--against", other)
    assert "run `keras-fusion tune" in err and "other.toml` first" in err
    assert "trial" not in out  # before anything is trained
    succeed("tune", other, *options)
    added = "--report", "--tensorboard", "--publish", "--promote", "mine"
    with monkeypatch.context() as patch:
        patch.setattr(promote, "print_results", interrupted)
        status, *_ = run("tune", path, *options, "--against", other, *added)
    assert status == 130 and not (tmp_path / "zoo").exists()
    out = succeed("tune", path, *options, "--against", other, *added)
    assert "test accuracy in percent, 2 seeds" in out and "95 % interval" in out
    assert promote.LATER.format(1) in out.splitlines()[1]
    methods = "model, concatenation, only-a, only-b"
    assert f"trains 4 models now: {methods}, for the seeds 0. By the" in out
    assert re.search(r"only-b, seed 0: .* \(4 of 4, about 0 s left\)", out)
    assert (tmp_path / "runs" / "tiny" / "report.html").is_file()
    assert list((tmp_path / "runs" / "tiny" / "tensorboard").glob("trial-*/events*"))
    results = read(tmp_path / "results.json")
    assert [len(runs) for runs in results.test.scores.values()] == [2, 2]
    recipe = recipes.read(str(tmp_path / "zoo" / "mine"))
    assert recipe.split.train_on_validation
    assert "Not measured" not in (tmp_path / "zoo" / "mine" / "README.md").read_text()
    assert (tmp_path / "zoo" / "mine" / "model.weights.h5").is_file()
    ((model, output),) = exported
    assert model.is_file() and output.as_posix() == "saved_models/mine"
    again = succeed("tune", path, *options, "--publish")  # keeps the test
    assert "test accuracy" not in again
    assert read(tmp_path / "results.json").test == results.test
    _, _, err = run("tune", path, *options, "--promote", "mine")
    assert "zoo/mine is there already" in err
