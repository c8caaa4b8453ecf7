import dataclasses

import pytest

from keras_fusion import datasets, zoo
from keras_fusion.common.errors import InputError
from keras_fusion.experiments import comparison, variants
from keras_fusion.experiments.recipes import Recipe
from tests.experiments import runs


@pytest.fixture
def path(tmp_path):
    return runs.write(tmp_path / "home")


def encoder(model):
    """The layers of modality b, and their weights' shapes."""
    layers = [layer for layer in model.layers if layer.name.startswith("b_")]
    return {layer.name: [w.shape for w in layer.weights] for layer in layers}


def test_baselines_have_the_models_encoders_and_training(path):
    recipe, data = runs.load(path)
    recipe = variants.with_arguments(recipe, {"encoder_depth": 2, "depth": 2})
    single, joined = variants.only(recipe, "b"), variants.concatenation(recipe)
    model = variants.build(recipe, data)
    only = variants.build(single, data)
    concatenation = variants.build(joined, data)
    assert list(only.input) == ["b"]
    assert type(concatenation.get_layer("fusion")).__name__ == "Concatenation"
    for other in (only, concatenation):
        assert encoder(other) == encoder(model)
    names = [layer.name for layer in concatenation.layers]
    assert "modality_dropout" in names  # against the same dropout
    assert "fusion_0" in names  # and as many blocks
    assert single.training == joined.training == recipe.training


@pytest.mark.only_on("torch", reason="no backend changes it")
def test_baselines_have_the_encoders_that_the_recipe_lists(path):
    recipe, data = runs.load(path)
    own = [{"class_name": "Dense", "config": {"units": 7}}]
    recipe = variants.with_arguments(recipe, {"encoders": {"b": own}})
    for other in (variants.only(recipe, "b"), variants.concatenation(recipe)):
        model = variants.build(other, data)
        assert [layer.units for layer in model.get_layer("b_encoder").layers] == [7]
    fewer = variants.of_modalities(recipe, ["a"])
    assert list(variants.build(fewer, data.only("a")).input) == ["a"]
    assert recipe.arguments["encoders"] == {"b": own}


def test_one_stream_of_a_recipe_keeps_its_own_heatmaps():
    arguments = {"heatmaps": {"pose": {"size": [8, 8]}}, "patch_size": 4, "units": 8}
    recipe = Recipe(
        name="", dataset="", builder="TwoStreamVideoClassifier", arguments=arguments
    )
    pose, depth = (variants.only(recipe, m).arguments for m in ("pose", "depth"))
    assert pose == arguments | {"name": "only_pose"}
    assert depth == arguments | {"heatmaps": {}, "name": "only_depth"}
    streams = {"pose": (3, 5, 2)}
    pose.pop("patch_size")
    assert zoo.TwoStreamVideoClassifier(streams, 3, **pose).get_layer("pose_heatmaps")


def test_baselines_of_any_builder(path):
    recipe, data = runs.load(path)
    recipe = dataclasses.replace(
        recipe,
        builder="UnimodalClassifier",
        arguments={"units": 4, "modality": "a"},
    )
    assert variants.build(variants.concatenation(recipe), data)
    assert list(variants.build(variants.only(recipe, "b"), data).input) == ["b"]


@pytest.mark.parametrize(
    "arguments", [{"unit": 3}, {"dropout": "x"}, {"fusion": {"class_name": ["x"]}}]
)
def test_arguments_that_no_builder_takes(path, arguments):
    recipe, data = runs.load(path)
    recipe = dataclasses.replace(recipe, arguments=arguments)
    with pytest.raises(ValueError):
        variants.build(recipe, data)


def test_regression_needs_no_argument(path):
    recipe, _ = runs.load(path)
    runs.write(path.parent, y=runs.arrays()["b"][:, 1] + 0.5)
    data = datasets.load(recipe.dataset)
    model = variants.build(recipe, data)
    assert model.output_shape == (None, 1)
    assert model.get_layer("predictions").activation.__name__ == "linear"


@pytest.mark.only_on("torch", reason="no backend changes it")
def test_one_modality_is_not_compared_with_itself(path):
    recipe, data = runs.load(path)
    assert list(comparison.variants(recipe, data.only("a"), leave_out=True)) == [
        "model"
    ]


def test_a_builder_of_classes_alone_says_so(path):
    recipe, data = runs.load(path)
    numbers = dataclasses.replace(data, class_names=[])
    recipe = dataclasses.replace(recipe, builder="EvidentialClassifier")
    sentence = "EvidentialClassifier is for one class a row; .*regression"
    with pytest.raises(InputError, match=sentence):
        variants.build(recipe, numbers)
