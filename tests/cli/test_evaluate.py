import re
import sys
from dataclasses import replace

import keras
import numpy as np
import pytest

from keras_fusion import datasets, layers, zoo
from keras_fusion.cli.results import print_results, record_cells
from keras_fusion.experiments import comparison, corruption, recipes, record, variants
from keras_fusion.experiments.reports import card, corruption_tables
from keras_fusion.experiments.reports.plots import PLOTS
from keras_fusion.experiments.results import read
from keras_fusion.zoo import published
from tests.cli.running import run, succeed


def test_list_knows_every_name():
    out = succeed("list")
    groups = layers.operators(), zoo.builders(), published.names(), datasets.names()
    for name in (name for group in groups for name in group):
        assert f" {name} " in out


def test_list_compares_any_method_of_published_results(results, home):
    out = succeed("list", home, "--method", "late average")
    scores = results.scores
    others = [name for name in scores if name != "late average"]
    chosen = ("late average", "only-b")
    (late,), (only,) = (scores[name].missing_random["1"] for name in chosen)
    (line,) = re.findall(r"^ only-b .*", out, re.M)
    assert line.split()[-1] == f"{100 * (late - only):+.1f}"
    titled = succeed("list", home, "--method", "AdaptiveWeighting")
    for found in (out, titled):
        table = found.partition("points ahead of")[2]
        assert len(re.findall(r"[+-]\d+\.\d", table)) == 2 * len(others)


def test_where_one_modality_is_all_nothing_is_missing_beside_others(results, capsys):
    print_results(results)
    assert "each modality missing" in capsys.readouterr().out
    alone = replace(results.scores["model"], missing={"a": [0.5]})
    only = {"scores": {"model": alone}, "paired": {}, "corrupted": {}}
    print_results(replace(results, **only))
    out = capsys.readouterr().out
    assert "other measures" in out
    assert "missing at random" not in out and "each modality" not in out


def test_list_knows_results_of_a_file_beside_a_recipe(home):
    beside = home / "tried.toml"
    beside.write_text((home / "recipe.toml").read_text())
    try:
        status, _, err = run("list", beside)
        assert status == 2 and "tried.json is not there" in err
    finally:
        beside.unlink()


def test_evaluate_scores_every_method_under_every_loss(results, home):
    single = ["only-a", "only-b"]
    assert list(results.scores) == [*comparison.METHODS, *single]
    best = f"only-{results.fits[0].best_single}"
    assert results.scores["best single"] == results.scores[best]
    for scores in results.scores.values():
        assert list(scores.missing) == ["a", "b"]
        assert list(scores.missing_random) == ["1"]
        both = [scores.all, *scores.missing.values()]
        assert all(len(x) == 1 and 0 <= x[0] <= 1 for x in both)
    assert results.scores["model"].all[0] > 0.5
    assert list(results.retrained_without) == ["a", "b"]
    out = (home / "out.txt").read_text()
    for words in ("AdaptiveWeighting", *comparison.METHODS[1:], "trained without it"):
        assert words in out
    assert f"{100 * results.scores['model'].all[0]:.1f}" in out
    assert "imputed 10 NaN cells of modality 'b'" in out


def test_evaluate_judges_what_it_trained(results, home):
    """Late average and best single, once more by hand."""
    recipe = recipes.read(str(home))
    data = recipes.load_data(recipe, 0)
    present = datasets.modality_mask(data.test.inputs)
    outputs, validation = {}, {}
    for i, m in enumerate(data.input_shapes):
        folder = home / "runs" / "tiny" / f"only-{m}" / "seed-0"
        validation[m] = record.read(folder).validation
        model = comparison.trained(variants.only(recipe, m), data, folder)
        inputs = {m: data.test.inputs[m], "modality_mask": present[:, i : i + 1]}
        outputs[m] = model.predict(inputs, verbose=0)
    weights = present.T[:, :, None] / present.sum(axis=1)[:, None]
    average = sum(w * y for w, y in zip(weights, outputs.values(), strict=True))
    labels, scores = data.test.labels, results.scores
    assert scores["late average"].all == [np.mean(average.argmax(-1) == labels)]
    assert validation["a"] != validation["b"]
    best = max(validation, key=validation.get)
    assert results.fits[0].best_single == best
    assert scores["best single"].all == [np.mean(outputs[best].argmax(-1) == labels)]


def test_results_say_where_they_come_from(results):
    assert results.backend == keras.backend.backend()
    assert results.versions["keras"] == keras.__version__
    assert results.part == "test" and results.precision == "float32"
    assert results.recipe.training.seeds == (0,)
    there = results.fits_of("model")[0].computed_on
    assert there.startswith(f"{keras.backend.backend()} ") and "cores" in there
    budgets = [fit.epochs for k, fit in results.fits[0].fits.items() if "only" in k]
    assert budgets == [results.fits_of("model")[0].epochs] * 2 == [3, 3]
    assert results.paired["concatenation"]["all"].low is None  # one seed


def test_results_say_how_much_each_view_weighed(results):
    weights = results.modality_weights
    assert list(weights) == ["blue", "green", "red"]
    for shares in weights.values():
        assert list(shares) == ["a", "b"]
        assert sum(share for (share,) in shares.values()) == pytest.approx(1, abs=1e-5)


def test_results_say_what_each_modality_contributed(results, home):
    found = results.contributions
    data = recipes.load_data(recipes.read(str(home)), 0)
    assert found.rows == [len(data.test.labels)]
    assert list(found.score) == list(found.output) == ["a", "b"]
    whole = found.base[0] + sum(value for (value,) in found.score.values())
    scores = results.scores["model"]
    assert whole == pytest.approx(scores.all[0])
    without = {m: scores.missing[m][0] for m in "ab"}
    of_a = (without["b"] - found.base[0] + scores.all[0] - without["a"]) / 2
    assert found.score["a"] == pytest.approx([of_a])
    assert all(0 < found.output[m][0] < 1 for m in "ab")
    for text in (home / "out.txt").read_text(), (home / "README.md").read_text():
        assert "hat each modality contributed" in text and "(nothing there)" in text


def test_evaluate_says_what_becomes_of_methods_when_an_input_lies(results, home):
    ways = [f"noise {strength:g}" for strength in corruption.NOISES]
    ways += ["another sample", "zeros"]
    corrupted = results.corrupted
    assert list(corrupted) == list(results.scores)
    for method, found in corrupted.items():
        assert list(found.each) == ["a", "b"]
        assert all(list(by_way) == ways for by_way in found.each.values())
        for m in "ab":
            others = found.each["b" if m == "a" else "a"].values()
            if method == f"only-{m}":  # what the other sends does not reach it
                assert all(x == results.scores[method].all for x in others)
    assert corrupted["linear model"].each != corrupted["model"].each
    row = corruption_tables.one_rows(results)[1][0]
    assert row[0] == "AdaptiveWeighting" and len(row) == 1 + 1 + len(ways) + 1
    page, out = (home / "README.md").read_text(), (home / "out.txt").read_text()
    assert f"| {' | '.join(row)} |" in page
    assert "one modality corrupted, the mean over which" in out


def test_plots_are_pictures(home):
    for name in PLOTS:
        picture = (home / "runs" / "tiny" / name).read_bytes()
        assert picture.startswith(b"\x89PNG") and picture.endswith(b"IEND\xaeB`\x82")


def test_published_beside_the_recipe(home, results, monkeypatch):
    assert read(home / "results.json") == results
    page = (home / "README.md").read_text()
    assert page.startswith("# A card") and page.endswith("The end.\n")
    assert "old" not in page and "| concatenation |" in page
    assert all((home / name).is_file() and f"]({name})" in page for name in PLOTS)
    monkeypatch.setattr(published, "folder", lambda: home.parent)
    data = recipes.load_data(recipes.read("tiny"), 0)
    model = variants.build(recipes.read("tiny"), data, weights="tiny")
    ours = home / "runs" / "tiny" / "model" / "seed-0"
    expected = comparison.trained(recipes.read("tiny"), data, ours, modality_mask=False)
    for found, there in zip(model.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_array_equal(found, there)
    shown = succeed("list")
    assert f"{100 * results.scores['model'].all[0]:.1f} % accuracy" in shown


def test_train_finds_the_run_of_evaluate(trained, home):
    model, out = trained
    assert model.is_file() and f"wrote {model}\n" in out
    assert "imputed 10 NaN cells of modality 'b' with the training mean" in out
    before = (home / "runs" / "tiny" / "model" / "seed-0" / "fit.json").read_bytes()
    succeed("train", home, "--seeds", 0, "--runs", home / "runs", "--quiet")
    assert (model.parent / "fit.json").read_bytes() == before


def test_no_card_nothing_published(home, results, tmp_path):
    with pytest.raises(OSError):
        card.publish(results, tmp_path, home / "runs" / "tiny")
    (tmp_path / "README.md").write_text("no place")
    with pytest.raises(ValueError, match="no place for results"):
        card.publish(results, tmp_path, home / "runs" / "tiny")
    assert [p.name for p in tmp_path.iterdir()] == ["README.md"]


def test_without_matplotlib(home, results, tmp_path, monkeypatch):
    from keras_fusion.experiments.reports.plots import save_plots

    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"keras-fusion\[plots\]"):
        save_plots(results, tmp_path)


def test_the_best_single_is_chosen_by_rows_that_did_not_train():
    records = {"only-a": made(validation=0.9), "only-b": made(validation=0.8)}
    judged = {"only-a": ({"all": 0.5}, {}), "only-b": ({"all": 0.7}, {})}
    for trained_on, best in (False, "only-a"), (True, "only-b"):
        split = recipes.Split(train_on_validation=trained_on)
        assert comparison._best([*records], records, judged, split) == best


def test_a_score_says_that_its_rows_were_trained_on():
    for trained_on, cell in (False, "90.5 %"), (True, "90.5 % (trained on)"):
        split = recipes.Split(train_on_validation=trained_on)
        assert record_cells(made(validation=0.905), split) == [
            cell,
            "3",
            "1.2",
            "1,200",
        ]
    split = recipes.Split()
    assert record_cells(made(validation=-0.5), split)[0] == "-50.0 %"
    assert record_cells(made(metric="loss"), split)[0] == "loss 0.5000"


def made(metric="R^2", validation=-0.5):
    run = {"name": "tiny", "identity": {}, "history": {}}
    run |= {"epochs": 3, "seconds": 1.25, "parameters": 1200}
    return record.Record(metric=metric, validation=validation, **run)
