"""A smoke run of the ablation."""

import dataclasses
from pathlib import Path

import pytest

from benchmarks.mutualformer_parts import PARTS
from examples import mutualformer_ablation
from examples.mutualformer_ablation import BEGIN, recipe_of
from keras_fusion.experiments import recipes
from keras_fusion.experiments.reports import card
from keras_fusion.experiments.results import read

HERE = Path(mutualformer_ablation.__file__).parent


@pytest.mark.parametrize("name", ["tools_rgbd_mutualformer", "av_digits_mutualformer"])
def test_the_recipes_have_an_ablation(name):
    name = str(HERE / name)
    recipe = recipe_of(name)
    assert list(recipe.baselines)[-len(PARTS) :] == list(PARTS)
    assert "cross-attention" in recipe.baselines and not recipe.usual_baselines
    assert BEGIN in recipes.file_of(name).with_name("README.md").read_text()


@pytest.mark.only_on("torch", reason="no backend changes it")
@pytest.mark.slow
def test_shards_train_what_they_are_asked_and_the_last_one_judges(
    tmp_path, monkeypatch, capsys
):
    recipe = recipe_of(str(HERE / "av_digits_mutualformer"))
    small = dataclasses.replace(
        recipes.changed(recipe, epochs=1, seeds=[0, 1]),
        name="small-ablation",
        dataset="mfeat",
        builder="FusionClassifier",
        arguments={"units": 8, "fusion": "Concatenation"},
        baselines={"without f": {"units": 4}, "without-g": {"units": 2}},
    )
    monkeypatch.setattr(mutualformer_ablation, "recipe_of", lambda name: small)
    home = tmp_path / "small"
    home.mkdir()
    (home / "recipe.toml").touch()
    (home / "README.md").write_text(f"# Card\n{BEGIN}\n{card.END}\nThe end.")
    run = [str(home), "--runs", str(tmp_path), "--device", "cpu:0"]
    mutualformer_ablation.main([*run, "--only", "without f", "--seeds", "0"])
    fits = (tmp_path / "small-ablation").glob("*/*/fit.json")
    assert [f.parent.parent.name for f in fits] == ["without f"]
    out = capsys.readouterr().out
    assert "without f, seed 0: validation" in out and "5 fits are left" in out
    assert not (home / "ablation.json").exists()
    mutualformer_ablation.main(run)
    results = read(home / "ablation.json")
    assert list(results.scores) == ["model", "without f", "without-g"]
    assert results.part == "validation"
    page = (home / "README.md").read_text()
    assert "| as in the recipe | " in page and "| without f | " in page
    assert page.startswith("# Card") and page.endswith("The end.")
    with pytest.raises(ValueError, match="Did you mean 'without f'"):
        mutualformer_ablation.main([*run, "--only", "without F"])
