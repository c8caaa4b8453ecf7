import pathlib
import re
import shutil
import subprocess
import sys

import keras
import numpy as np
import pytest

import keras_fusion
from keras_fusion.cli import main as cli
from keras_fusion.cli import verify
from keras_fusion.serving.server.servable import USUAL
from tests.cli.running import run, tree
from tests.experiments import runs


def npz(name, **changes):
    """Writes a data set with these changes in its arrays to `name`."""

    def write(folder):
        kept = {k: x for k, x in (runs.arrays() | changes).items() if x is not None}
        np.savez(folder / name, **kept)

    return write


def text(name, content):
    return lambda folder: (folder / name).write_text(content)


def broken_model(folder):
    model = next((folder / "runs").rglob("model.keras")).read_bytes()
    (folder / "broken.keras").write_bytes(model[: len(model) // 2])


HELP = """
import sys
from keras_fusion.cli.main import COMMANDS, main

for command in COMMANDS:
    try:
        main([command, "--help"])
    except SystemExit:
        pass
slow = {"keras", "numpy", "jax", "tensorflow", "torch"}
print(sorted(slow & sys.modules.keys()))
"""
NAN = np.full((100, 5), np.nan)
TRAIN = "train {} --quiet --runs out"
OWN = TRAIN.format(".") + " --dataset npz:own.npz"
BAD = {  # what is prepared, the command, what it says
    "recipe": (
        None,
        TRAIN.format("mfeat_modality_atention"),
        "Did you mean 'mfeat_mod",
    ),
    "builder": (
        text("x.toml", 'dataset = "mfeat"\nbuilder = "Fusion"'),
        TRAIN.format("x.toml"),
        "No builder 'Fusion'.*There are: .*FusionClassifier, ",
    ),
    "graph model": (
        text("x.toml", 'dataset = "mfeat"\nbuilder = "GraphNodeClassifier"'),
        TRAIN.format("x.toml"),
        "nodes of one graph: train it with `fit` on a keras_fusion.graphs.FullGraph",
    ),
    "graph": (
        None,
        f"{TRAIN.format('.')} --dataset cora",
        r"cora is a graph.*planetoid\.load_graph\('cora'\)",
    ),
    "operator": (
        text("x.toml", 'dataset = "mfeat"\n[arguments]\nfusion = "Sumation"'),
        TRAIN.format("x.toml"),
        "No operator 'Sumation'. Did you mean 'Summation'?",
    ),
    "argument": (
        text("x.toml", 'dataset = "mfeat"\n[arguments]\nunit = 4'),
        TRAIN.format("x.toml"),
        "unexpected keyword argument 'unit'",
    ),
    "dataset": (None, f"{TRAIN.format('.')} --dataset mfeet", "closest is 'mfeat'"),
    "file": (None, f"{TRAIN.format('.')} --dataset npz:no.npz", "no.npz: no such file"),
    "kind": (text("x.csv", ""), f"{TRAIN.format('.')} --dataset csv:x.csv", "x.csv"),
    "label": (npz("own.npz", y=None), OWN, "no label 'y'; there is a, b"),
    "classes": (npz("own.npz", y=np.zeros(100)), OWN, "at least two classes"),
    "no modality": (
        npz("own.npz", a=NAN, b=np.vstack([NAN[:1, :3], np.ones((99, 3))])),
        OWN,
        "needs at least one modality; none has a value in row 0",
    ),
    "rows": (npz("own.npz", a=np.ones((7, 5))), OWN, "as many rows in every modality"),
    "few": (
        npz("own.npz", a=np.ones((2, 5)), b=np.ones((2, 3)), y=np.arange(2)),
        OWN,
        "2 rows split like this leave none for",
    ),
    "epochs": (
        None,
        f"{TRAIN.format('.')} --epochs 0",
        "epochs must be a whole number",
    ),
    "seeds": (None, f"{TRAIN.format('.')} --seeds -1", "seeds must be a list of whole"),
    "precision": (None, f"{TRAIN.format('.')} --precision half", "received 'half'"),
    "folder": (None, "train . --runs recipe.toml", "(Not a directory|File exists): "),
    "other run": (
        None,
        "train . --runs runs --seeds 0 --epochs 9 --quiet",
        r"training\.epochs \(3 there, 9 now\): repeat the options of that run, choose",
    ),
    "publish": (None, "evaluate . --publish --epochs 1", "leave out --dataset"),
    "publish what chooses": (
        None,
        "evaluate . --publish --on validation",
        "results on the test set; received --on validation",
    ),
    "method": (None, "list . --method late", "Did you mean 'late average'"),
    "method of nothing": (None, "list --method model", "name the recipe too"),
    "publish beside": (
        lambda home: (home / "other.toml").write_text(
            (home / "recipe.toml").read_text()
        ),
        "evaluate other.toml --publish",
        "it takes a recipe.toml; received other.toml",
    ),
    "untrained": (None, "export . --runs out", "no trained model in out/"),
    "no export": (broken_model, "export broken.keras", "not a whole .keras file"),
    "export to": (
        None,
        "export . --runs runs --output recipe.toml",
        "cannot be written",
    ),
    "format": (
        None,
        "export . --runs runs --formats onx",
        "No format 'onx'. Did you mean 'onnx'",
    ),
    "version": (
        lambda folder: (folder / "saved" / "3").mkdir(parents=True),
        "export . --runs runs --output saved --version 3",
        "saved already has a version 3, which is never overwritten",
    ),
    "samples": (
        npz("own.npz", a=np.ones((100, 7)), y=None),
        "export . --runs runs --output saved --samples own.npz",
        r"'a' must have the shape \(None, 5\)",
    ),
    "nothing exported": (None, "verify out", "out: expected a manifest.json or numb"),
    "no whole export": (
        text("manifest.json", "{}"),
        "verify .",
        "manifest.json is not as it was exported",
    ),
    "no model": (None, "predict no.keras data.npz", "There is no model no.keras"),
    "no SavedModel": (None, "predict out data.npz", "out: expected a SavedModel"),
    "half a model": (
        broken_model,
        "predict broken.keras data.npz",
        "not a whole .keras",
    ),
    "no features": (None, "predict {model} no.npz", "no.npz: no such file"),
    "width": (
        text("x.json", '[{"a": [1, 2, 3, 4, 5], "b": [1]}]'),
        "predict {model} x.json",
        r"'b' must have the shape \(None, 3\)",
    ),
}


@pytest.mark.only_on("torch", reason="no backend changes it")
@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_sentence(case, trained, home, tmp_path, monkeypatch):
    prepare, command, message = BAD[case]
    folder = tmp_path / "tiny"
    shutil.copytree(home, folder)
    recipe = folder / "recipe.toml"  # its data lie beside it
    recipe.write_text(recipe.read_text().replace(str(home), str(folder)))
    monkeypatch.chdir(folder)
    if prepare:
        prepare(folder)
    before = tree(folder)
    model = trained[0].relative_to(home)
    status, out, err = run(*command.format(model=model).split())
    assert status == 2
    assert err.count("\n") == 1 and err.startswith("keras-fusion: error: ")
    assert re.search(message, err), err
    assert tree(folder) == before


def test_debug_shows_where():
    with pytest.raises(ValueError, match="No recipe"):
        cli.main(["train", "nothing", "--debug"])


@pytest.mark.only_on("torch", reason="no backend changes it")
def test_a_stop_by_hand_says_how_to_go_on(home, tmp_path, monkeypatch):
    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(keras.Model, "fit", interrupt)
    status, out, err = run("train", home, "--runs", tmp_path)
    assert status == 130
    assert err == "keras-fusion: stopped; the same command resumes it.\n"


def test_a_fault_of_ours_says_that_it_is_one(monkeypatch):
    def broken(options):
        raise ValueError("operands could not be broadcast")

    monkeypatch.setattr(verify, "run", broken)
    status, _, err = run("verify", "somewhere")
    assert status == 1
    assert "a fault of the program, not of your input: ValueError: operands" in err
    file = re.search(r"the traceback is in (\S+);", err)[1]
    report = pathlib.Path(file).read_text()
    assert "in broken" in report and keras_fusion.__version__ in report
    pathlib.Path(file).unlink()


@pytest.mark.only_on("torch", reason="no backend changes it")
@pytest.mark.parametrize("command", cli.COMMANDS)
def test_help_says_what_every_option_does(command, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit, match="0"):
        cli.main([command, "--help"])
    out = capsys.readouterr().out
    assert "None" not in out and "False" not in out
    options = re.findall(r"^  (--?\S+)(.*\n(?: {10,}.*\n)*)", out, re.M)
    assert all(re.search(r"[a-z]{3,} [a-z]", words) for _, words in options), options


@pytest.mark.only_on("torch", reason="no backend changes it")
def test_help_imports_no_backend():
    told = subprocess.run(
        [sys.executable, "-c", HELP], capture_output=True, text=True, check=True
    )
    assert told.stdout.splitlines()[-1] == "[]"
    assert told.stdout.count("show the traceback") == len(cli.COMMANDS)


def test_the_help_of_serve_says_the_usual_limits(capsys):
    with pytest.raises(SystemExit, match="0"):
        cli.main(["serve", "--help"])
    words = " ".join(capsys.readouterr().out.split())
    megabytes, seconds = USUAL.body // 2**20, int(USUAL.seconds)
    for limit in (f"{megabytes} MiB", str(USUAL.batch), str(seconds)):
        assert f"(default: {limit})" in words
