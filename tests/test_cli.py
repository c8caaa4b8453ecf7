import contextlib
import csv
import io
import json
import re
import shutil
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from keras_fusion import card, cli, commands, comparison, datasets, layers, recipes, zoo
from keras_fusion import recipe as recipe_files
from tests import runs

CARD = f"# A card\n\n{card.BEGIN}\nold\n{card.END}\n\nThe end.\n"


def run(*arguments):
    """Exit status, stdout and stderr of one command."""
    commands.console.width = 200  # nothing is folded
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = cli.main([str(a) for a in arguments])
    return status, out.getvalue(), err.getvalue()


def succeed(*arguments):
    status, out, err = run(*arguments)
    assert (status, err) == (0, "")
    return out


def tree(folder):
    """Every file under `folder` with its content."""
    return {p: p.read_bytes() for p in Path(folder).rglob("*") if p.is_file()}


@pytest.fixture(scope="session")
def home(tmp_path_factory):
    """The folder of a recipe, its data, and what `evaluate --publish` made of it."""
    folder = tmp_path_factory.mktemp("recipes") / "tiny"
    runs.write(folder).rename(folder / "recipe.toml")
    (folder / "README.md").write_text(CARD)
    options = "--seeds", 0, "--leave-out", "--publish", "--runs", folder / "runs"
    out = succeed("evaluate", folder, *options)
    (folder / "out.txt").write_text(out)
    return folder


@pytest.fixture(scope="session")
def trained(home):
    """The model that `train` saved, and what it printed: the run itself is done."""
    out = succeed("train", home, "--seeds", 0, "--runs", home / "runs", "--quiet")
    return home / "runs" / "tiny" / "model" / "seed-0" / "model.keras", out


@pytest.fixture(scope="session")
def results(home):
    return json.loads((home / "runs" / "tiny" / "results.json").read_text())


def test_list_knows_every_name():
    out = succeed("list")
    groups = layers.operators(), zoo.builders(), recipes.names(), datasets.names()
    for name in (name for group in groups for name in group):
        assert f" {name} " in out


def test_evaluate_scores_every_method_under_every_loss(results, home):
    assert list(results["scores"]) == list(comparison.METHODS)
    for scores in results["scores"].values():
        assert list(scores["missing"]) == ["a", "b"]
        assert list(scores["missing_random"]) == ["1"]
        both = [scores["all"], *scores["missing"].values()]
        assert all(len(x) == 1 and 0 <= x[0] <= 1 for x in both)
    assert results["scores"]["model"]["all"][0] > 0.5
    assert list(results["retrained_without"]) == ["a", "b"]
    out = (home / "out.txt").read_text()
    for words in ("AdaptiveWeighting", *comparison.METHODS[1:], "trained without it"):
        assert words in out
    assert f"{100 * results['scores']['model']['all'][0]:.1f}" in out
    assert "imputed 10 NaN cells of modality 'b'" in out


def test_evaluate_judges_what_it_trained(results, home):
    """Late average and best single, once more by hand."""
    recipe = recipe_files.read(str(home))
    data = recipe_files.load_data(recipe, 0)
    present = datasets.modality_mask(data.test.inputs)
    outputs, validation = {}, {}
    for i, m in enumerate(data.input_shapes):
        folder = home / "runs" / "tiny" / f"only-{m}" / "seed-0"
        validation[m] = json.loads((folder / "fit.json").read_text())["validation"]
        model = comparison.trained(recipe_files.only(recipe, m), data, folder)
        inputs = {m: data.test.inputs[m], "modality_mask": present[:, i : i + 1]}
        outputs[m] = model.predict(inputs, verbose=0)
    weights = present.T[:, :, None] / present.sum(axis=1)[:, None]
    average = sum(w * y for w, y in zip(weights, outputs.values(), strict=True))
    labels, scores = data.test.labels, results["scores"]
    assert scores["late average"]["all"] == [np.mean(average.argmax(-1) == labels)]
    best = max(validation, key=validation.get)
    assert results["fits"][0]["best_single"] == best
    assert scores["best single"]["all"] == [np.mean(outputs[best].argmax(-1) == labels)]


def test_results_say_where_they_come_from(results):
    assert results["backend"] == keras.backend.backend()
    assert results["versions"]["keras"] == keras.__version__
    assert results["part"] == "test" and results["precision"] == "float32"
    assert results["recipe"]["training"]["seeds"] == [0]
    budgets = [fit["epochs"] for k, fit in results["fits"][0].items() if "only" in k]
    assert budgets == [results["fits"][0]["model"]["epochs"]] * 2 == [3, 3]
    assert results["paired"]["concatenation"]["all"]["low"] is None  # one seed


def test_plots_are_pictures(home):
    for name in ("accuracy.png", "missing.png"):
        picture = (home / "runs" / "tiny" / name).read_bytes()
        assert picture.startswith(b"\x89PNG") and picture.endswith(b"IEND\xaeB`\x82")


def test_published_beside_the_recipe(home, results, monkeypatch):
    assert json.loads((home / "results.json").read_text()) == results
    page = (home / "README.md").read_text()
    assert page.startswith("# A card") and page.endswith("The end.\n")
    assert "old" not in page and "| concatenation |" in page
    assert (home / "accuracy.png").is_file() and (home / "missing.png").is_file()
    monkeypatch.setattr(recipes, "folder", lambda: home.parent)
    data = recipe_files.load_data(recipe_files.read("tiny"), 0)
    model = recipe_files.build(recipe_files.read("tiny"), data, weights="tiny")
    ours = home / "runs" / "tiny" / "model" / "seed-0"
    expected = comparison.trained(recipe_files.read("tiny"), data, ours, mask=False)
    for found, there in zip(model.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_array_equal(found, there)
    shown = succeed("list")
    assert f"{100 * results['scores']['model']['all'][0]:.1f} % accuracy" in shown


def test_train_finds_the_run_of_evaluate(trained, home):
    model, out = trained
    assert model.is_file() and f"wrote {model}\n" in out
    assert "imputed 10 NaN cells of modality 'b' with the training mean" in out
    before = (home / "runs" / "tiny" / "model" / "seed-0" / "fit.json").read_bytes()
    succeed("train", home, "--seeds", 0, "--runs", home / "runs", "--quiet")
    assert (model.parent / "fit.json").read_bytes() == before


def features(folder, rows=4):
    """The same raw rows as npz, csv and json, one modality and one cell missing."""
    inputs = {name: runs.arrays()[name][20 : 20 + rows] for name in runs.WIDTHS}
    np.savez(folder / "rows.npz", **inputs)
    header = [f"{m}_{i}" for m, width in runs.WIDTHS.items() for i in range(width)]
    flat = np.concatenate(list(inputs.values()), axis=1)
    with (folder / "rows.csv").open("w", newline="") as file:
        cells = [["" if np.isnan(v) else repr(float(v)) for v in r] for r in flat]
        csv.writer(file).writerows([header, *cells])
    rows = [{m: _row(x[i]) for m, x in inputs.items()} for i in range(rows)]
    (folder / "rows.json").write_text(json.dumps(rows))
    return [folder / f"rows.{kind}" for kind in ("npz", "csv", "json")]


def _row(x):
    nothing = np.isnan(x).all()
    return None if nothing else [None if np.isnan(v) else float(v) for v in x]


def test_predict_from_every_kind_of_file(trained, tmp_path):
    files = features(tmp_path)
    found = [json.loads(succeed("predict", trained[0], f, "--json")) for f in files]
    assert found[0]["class_names"] == ["blue", "green", "red"]
    for key in ("probabilities", "modality_weights"):
        for other in found[1:]:
            np.testing.assert_allclose(other[key], found[0][key], atol=1e-6)
    assert found[0]["modality_weights"][0] == [0, 1]  # a is absent in the first row
    recipe = recipe_files.read(str(trained[0].parents[4]))
    data = recipe_files.load_data(recipe, 0)
    raw = {m: runs.arrays()[m][20:24] for m in runs.WIDTHS}
    standardised, _ = datasets.standardise(raw, data.statistics)
    model = comparison.trained(recipe, data, trained[0].parent)
    mask = {"modality_mask": datasets.modality_mask(raw)}
    expected = model.predict(standardised | mask, verbose=0)
    np.testing.assert_allclose(found[0]["probabilities"], expected, atol=1e-5)


def test_predict_prints_a_table(trained, tmp_path):
    path = features(tmp_path)[0]
    out = succeed("predict", trained[0], path, "--rows", 3)
    lines = [line.split() for line in out.splitlines()]
    assert ["row", "class", "probability", "a", "b"] in lines
    first = next(line for line in lines if line[:1] == ["0"])
    assert first[1] in ("blue", "green", "red")
    assert first[3:] == ["–", "1.00"]
    assert "1 more rows" in out


def test_what_users_call_things_is_no_markup(tmp_path, monkeypatch):
    from keras_fusion import prediction

    def predict(model, inputs):
        return {"probabilities": np.array([[0.9, 0.1]])}

    monkeypatch.setattr(prediction, "predict", predict)
    monkeypatch.setattr(prediction, "class_names", lambda model: ["[red]", "b"])
    monkeypatch.setattr(prediction, "modalities", lambda model: ["a"])
    monkeypatch.setattr(commands.datasets, "read", lambda file: {})
    assert "[red]" in succeed("predict", "m.keras", "x.npz")


def test_regression_on_a_csv_file(home, tmp_path):
    arrays = runs.arrays()
    target = np.nansum(arrays["b"], axis=1) / 3 + 0.25
    columns = {f"{m}_{i}": arrays[m][:, i] for m in runs.WIDTHS for i in (0, 1)}
    columns |= {"target": target}
    path = tmp_path / "own.csv"
    with path.open("w", newline="") as file:
        rows = [["" if np.isnan(v) else v for v in r] for r in zip(*columns.values())]
        csv.writer(file).writerows([list(columns), *rows])
    options = "--label", "target", "--epochs", 2, "--runs", tmp_path / "runs"
    out = succeed("train", home, "--dataset", f"csv:{path}", "--quiet", *options)
    assert "imputed 10 NaN cells of modality 'b'" in out
    model = next(tmp_path.rglob("model.keras"))
    found = json.loads(succeed("predict", model, _without_label(path), "--json"))
    assert np.shape(found["predictions"]) == (100, 1)
    assert "prediction" in succeed("predict", model, _without_label(path))


def _without_label(path):
    lines = [line.rpartition(",")[0] for line in path.read_text().splitlines()]
    path.with_name("features.csv").write_text("\n".join(lines))
    return path.with_name("features.csv")


@pytest.mark.slow
@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="test_export has the other routes"
)
def test_an_export_predicts_the_same(trained, home, tmp_path):
    output = tmp_path / "saved" / "tiny"
    out = succeed("export", home, "--runs", home / "runs", "--output", output)
    assert str(output / "1") in out
    for path in features(tmp_path):
        own = json.loads(succeed("predict", trained[0], path, "--json"))
        served = json.loads(succeed("predict", output, path, "--json"))
        assert own.keys() == served.keys()
        assert own["class_names"] == served["class_names"]
        for key in ("probabilities", "modality_weights"):
            np.testing.assert_allclose(served[key], own[key], atol=1e-5)
    assert succeed("predict", output, path) == succeed("predict", trained[0], path)
    single = tmp_path / "single.json"  # nothing tells the width of what is absent
    single.write_text(json.dumps([{"a": None, "b": [1, 2, 3]}]))
    own, served = (
        succeed("predict", m, single, "--json") for m in (trained[0], output)
    )
    np.testing.assert_allclose(
        json.loads(served)["probabilities"], json.loads(own)["probabilities"], atol=1e-5
    )


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
        "No builder 'Fusion'.*There are: FusionClassifier, LateFusion",
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
        "all are NaN in row 0",
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
        "differs in training: choose another --runs",
    ),
    "publish": (None, "evaluate . --publish --epochs 1", "leave out --dataset"),
    "untrained": (None, "export . --runs out", "no trained model in out/"),
    "no export": (broken_model, "export broken.keras", "not a whole .keras file"),
    "export to": (
        None,
        "export . --runs runs --output recipe.toml",
        "cannot be written",
    ),
    "no model": (None, "predict no.keras data.npz", "There is no model no.keras"),
    "no SavedModel": (None, "predict out data.npz", "out: expected a SavedModel"),
    "half a model": (
        broken_model,
        "predict broken.keras data.npz",
        "not a whole .keras",
    ),
    "no features": (None, "predict {model} no.npz", "no.npz: no such file"),
    "features": (
        text("x.json", '[{"a": [1, 2, 3, 4, 5]}]'),
        "predict {model} x.json",
        r"Expected the inputs .*'b'.* received \['a'",
    ),
    "width": (
        text("x.json", '[{"a": [1, 2, 3, 4, 5], "b": [1]}]'),
        "predict {model} x.json",
        r"'b' must have the shape \(None, 3\)",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_sentence(case, trained, home, tmp_path, monkeypatch):
    prepare, command, message = BAD[case]
    folder = tmp_path / "tiny"
    shutil.copytree(home, folder)
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


def test_a_stop_by_hand_says_how_to_go_on(home, tmp_path, monkeypatch):
    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(keras.Model, "fit", interrupt)
    status, out, err = run("train", home, "--runs", tmp_path)
    assert status == 130
    assert err == "keras-fusion: stopped; the same command goes on from here.\n"


def test_no_card_nothing_published(home, results, tmp_path):
    with pytest.raises(OSError):
        card.publish(results, tmp_path, home / "runs" / "tiny")
    (tmp_path / "README.md").write_text("no place")
    with pytest.raises(ValueError, match="no place for results"):
        card.publish(results, tmp_path, home / "runs" / "tiny")
    assert [p.name for p in tmp_path.iterdir()] == ["README.md"]


def test_without_matplotlib(home, results, tmp_path, monkeypatch):
    from keras_fusion.plots import save_plots

    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"keras-fusion\[plots\]"):
        save_plots(results, tmp_path)
