import json

import keras
import numpy as np
import pytest

from benchmarks import mutualformer_ablation
from benchmarks.mutualformer_ablation import BEGIN, PARTS, BlockWithout, recipe_of
from keras_fusion.experiments import recipe as recipes
from keras_fusion.experiments.reports import card
from keras_fusion.layers import MutualFormerBlock
from tests.conftest import assert_close, to_numpy

X = [np.random.default_rng(m).normal(size=(6, 5, 4)).astype("float32") for m in (0, 1)]
THERE = np.array([[True, True], [True, False], [False, True]] * 2)
DROPPED = {"dropout": 0.3, "stochastic_depth": 0.3, "seed": 1}


def twins(without, weights=lambda block: None, **options):
    """The block, and the one without a part, of the same random weights.

    Args:
        weights: Function that changes the block's weights before the other gets them.
    """
    options = {"num_heads": 2} | options
    whole, less = MutualFormerBlock(**options), BlockWithout(without=without, **options)
    rng = np.random.default_rng(0)
    for block in (whole, less):
        block.build([x.shape for x in X])
    whole.set_weights([rng.normal(0, 0.5, w.shape) for w in whole.weights])
    weights(whole)
    less.set_weights(whole.get_weights())
    return whole, less


@pytest.mark.parametrize("without", PARTS.values())
def test_without_a_part_another_result_from_the_same_weights(without):
    whole, less = twins(without)
    assert np.abs(to_numpy(whole(X)) - to_numpy(less(X))).max() > 1e-3


def zero(*layers):
    for layer in layers:
        layer.set_weights([0 * w for w in layer.get_weights()])


def halves(*layers):
    """Dense layers that give the mean of what stands side by side, or half of it."""
    for layer in layers:
        rows, columns = layer.kernel.shape
        kernel = np.tile(np.eye(columns) / 2, (rows // columns, 1))
        layer.set_weights([kernel, *(0 * w for w in layer.get_weights()[1:])])


def same_affinities(block):
    """Each token asks the same of the same keys: diffusion has nothing to diffuse."""
    for layers in (block.norms, block.diffusion.heads):
        layers[1].set_weights(layers[0].get_weights())
    heads = block.diffusion.heads[1]
    kernel, bias = heads.get_weights()
    kernel[:, :4] = 0  # an absent modality asks by its bias alone
    block.diffusion.heads[0].set_weights([kernel, bias])
    kernel, bias = kernel.copy(), bias.copy()
    kernel[:, 8:], bias[8:] = -kernel[:, 8:], 1 - bias[8:]  # of values no two are alike
    heads.set_weights([kernel, bias])


WEIGHTLESS = {
    "messages": lambda block: zero(*block.diffusion.others),
    "diffusion": same_affinities,
    "f": lambda block: halves(*block.diffusion.own, *block.diffusion.others),
    "g and h": lambda block: halves(block.aggregation, block.skip),
    "mlp": lambda block: zero(*block.mlp),
}


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("without", PARTS.values())
def test_without_a_part_is_with_weights_that_do_nothing(without, training):
    """One change each: absence, dropout and stochastic depth are the block's own."""
    inputs = [X[0], X[0]] if without == "diffusion" else X
    options = DROPPED | ({"epsilon": 0.0} if without == "diffusion" else {})
    whole, less = twins(without, WEIGHTLESS[without], **options)
    results = []
    for block in (whole, less):
        keras.utils.set_random_seed(0)  # torch's dropout has the one generator
        results.append(block(inputs, modality_mask=THERE, training=training))
    assert_close(*results)
    there = less(inputs, training=training)
    assert np.abs(to_numpy(results[1]) - to_numpy(there))[1:3].max() > 1e-3


def test_without_diffusion_padded_tokens_are_not_asked():
    _, less = twins("diffusion")
    kept = np.ones((6, 5), bool)
    kept[:, 3:] = False
    short = less([x[:, :3] for x in X])
    assert_close(less(X, mask=[kept, kept])[:, :3], short)


@pytest.mark.parametrize("name", ["tools_rgbd_mutualformer", "av_digits_mutualformer"])
def test_the_recipes_have_an_ablation(name):
    recipe = recipe_of(name)
    assert list(recipe["rivals"])[-len(PARTS) :] == list(PARTS)
    assert "cross-attention" in recipe["rivals"] and not recipe["baselines"]
    assert BEGIN in recipes.file_of(name).with_name("README.md").read_text()


@pytest.mark.only_on("torch", reason="no backend changes it")
@pytest.mark.slow
def test_shards_train_what_they_are_asked_and_the_last_one_judges(
    tmp_path, monkeypatch, capsys
):
    recipe = recipe_of("av_digits_mutualformer")
    small = recipe | {
        "dataset": "mfeat",
        "builder": "FusionClassifier",
        "arguments": {"units": 8, "fusion": "Concatenation"},
        "rivals": {"without f": {"units": 4}, "without-g": {"units": 2}},
        "training": recipe["training"] | {"epochs": 1, "seeds": [0, 1]},
    }
    small["name"] = "small-ablation"
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
    results = json.loads((home / "ablation.json").read_text())
    assert list(results["scores"]) == ["model", "without f", "without-g"]
    assert results["part"] == "validation"
    page = (home / "README.md").read_text()
    assert "| as in the recipe | " in page and "| without f | " in page
    assert page.startswith("# Card") and page.endswith("The end.")
    with pytest.raises(ValueError, match="Did you mean 'without f'"):
        mutualformer_ablation.main([*run, "--only", "without F"])
