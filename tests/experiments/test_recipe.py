import re
import tomllib

import pytest

from keras_fusion import datasets, zoo
from keras_fusion.experiments import recipe as recipe_files
from keras_fusion.zoo import published as recipes
from tests import shared
from tests.experiments import runs


@pytest.fixture
def path(tmp_path):
    return runs.write(tmp_path / "home")


def written(folder, text):
    (folder / "recipe.toml").write_text(text)
    return str(folder)


@pytest.mark.only_on("torch", reason="no backend changes it")
def test_every_recipe_can_be_read_and_built():
    assert recipes.names()
    for name in recipes.names():
        recipe = recipe_files.read(name)
        assert recipe["name"] == name
        if not shared.there(recipe["dataset"]):
            continue  # its data are not shipped
        data = recipe_files.load_data(recipe, 0)
        model = recipe_files.build(recipe, data)
        assert model.output_shape == (None, *data.train.labels.shape[1:], data.classes)


def test_what_is_left_out_is_filled_in(path):
    recipe = recipe_files.read(str(path))
    given = tomllib.loads(path.read_text())
    assert recipe["arguments"] == given["arguments"]
    assert recipe["training"] == recipe_files.DEFAULTS["training"] | given["training"]
    assert recipe["builder"] == "FusionClassifier"
    assert list(recipe) == [*recipe_files.DEFAULTS, "name"]


def test_it_is_called_by_its_folder_or_file(path):
    assert recipe_files.read(str(path))["name"] == "tiny"
    path.rename(path.with_name("recipe.toml"))
    assert recipe_files.read(str(path.parent))["name"] == "home"


def test_a_file_beside_a_recipe_has_both_names(path):
    """Else the ablations of two recipes would share one folder of runs."""
    path.with_name("recipe.toml").write_bytes(path.read_bytes())
    assert recipe_files.read(str(path))["name"] == "home-tiny"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("dataset = 3", "dataset must be a text; received 3"),
        ("epoch = 3", r"unknown keys \['epoch'\]; a recipe has \['builder'"),
        ("training = 3", "training must be a table; received 3"),
        ('builder = "FusionClasifier"', "Did you mean 'FusionClassifier'"),
        ("label = { a = 1 }", "label must be no table"),
        ("[training]\nepochs = 0", "epochs must be a whole number from 1; received 0"),
        ("[training]\nepochs = 2.0", "epochs must be a whole number"),
        ("[training]\nbatch_size = true", "batch_size must be a whole number"),
        ("[training]\nlearning_rate = nan", "learning_rate must be a number from 0"),
        ("[training]\nweight_decay = -1", "weight_decay must be a number from 0"),
        ("[training]\nseeds = []", "seeds must be a list"),
        ("[training]\nseeds = [-1]", "seeds must be a list"),
        ("[training]\nsteps = 1", r"\[training\] has unknown keys \['steps'\]"),
        ('[split]\nlabels_per_class = "2"', "labels_per_class must be a whole number"),
        ("[", "not a TOML file"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path, line, message):
    text = line if line.startswith("dataset") else f'dataset = "mfeat"\n{line}'
    with pytest.raises(ValueError, match=message):
        recipe_files.read(written(tmp_path, text))


def test_a_recipe_without_data(tmp_path):
    with pytest.raises(ValueError, match="names no `dataset`"):
        recipe_files.read(written(tmp_path, ""))


def test_no_such_recipe_lists_the_names():
    with pytest.raises(ValueError, match="Did you mean 'mfeat_modality_attention'"):
        recipe_files.read("mfeat_modality_atention")


def test_changes_leave_the_recipe_as_it_was(path):
    recipe = recipe_files.read("mfeat_modality_attention")
    before = repr(recipe)
    other = recipe_files.changed(
        recipe, dataset="csv:x.csv", label="z", epochs=7, seeds=[9]
    )
    assert (other["dataset"], other["label"]) == ("csv:x.csv", "z")
    assert (other["training"]["epochs"], other["training"]["seeds"]) == (7, [9])
    assert other["split"]["labels_per_class"] is None  # made for the recipe's data
    assert other["arguments"] == recipe["arguments"]
    assert recipe_files.changed(recipe, epochs=None, seeds=None) == recipe
    assert repr(recipe) == before
    with pytest.raises(ValueError, match="epochs must be a whole number"):
        recipe_files.changed(recipe, epochs=-1)


def encoder(model):
    """The layers of modality b, and their weights' shapes."""
    layers = [layer for layer in model.layers if layer.name.startswith("b_")]
    return {layer.name: [w.shape for w in layer.weights] for layer in layers}


def test_baselines_have_the_models_encoders_and_training(path):
    recipe, data = runs.load(path)
    recipe["arguments"] |= {"encoder_depth": 2, "depth": 2}
    single, joined = recipe_files.only(recipe, "b"), recipe_files.concatenation(recipe)
    model = recipe_files.build(recipe, data)
    only = recipe_files.build(single, data)
    concatenation = recipe_files.build(joined, data)
    assert list(only.input) == ["b"]
    assert type(concatenation.get_layer("fusion")).__name__ == "Concatenation"
    for other in (only, concatenation):
        assert encoder(other) == encoder(model)
    names = [layer.name for layer in concatenation.layers]
    assert "modality_dropout" in names  # against the same dropout
    assert "fusion_0" in names  # and as many blocks
    assert single["training"] == joined["training"] == recipe["training"]


@pytest.mark.only_on("torch", reason="no backend changes it")
def test_baselines_have_the_encoders_that_the_recipe_lists(path):
    recipe, data = runs.load(path)
    own = [{"class_name": "Dense", "config": {"units": 7}}]
    recipe["arguments"]["encoders"] = {"b": own}
    for other in (recipe_files.only(recipe, "b"), recipe_files.concatenation(recipe)):
        model = recipe_files.build(other, data)
        assert [layer.units for layer in model.get_layer("b_encoder").layers] == [7]
    fewer = recipe_files.of_modalities(recipe, ["a"])
    assert list(recipe_files.build(fewer, data.only("a")).input) == ["a"]
    assert recipe["arguments"]["encoders"] == {"b": own}


def test_one_stream_of_a_recipe_keeps_its_own_heatmaps():
    arguments = {"heatmaps": {"pose": {"size": [8, 8]}}, "patch_size": 4, "units": 8}
    recipe = {"builder": "TwoStreamVideoClassifier", "arguments": arguments}
    pose, depth = (recipe_files.only(recipe, m)["arguments"] for m in ("pose", "depth"))
    assert pose == arguments | {"name": "only_pose"}
    assert depth == arguments | {"heatmaps": {}, "name": "only_depth"}
    streams = {"pose": (3, 5, 2)}
    pose.pop("patch_size")
    assert zoo.TwoStreamVideoClassifier(streams, 3, **pose).get_layer("pose_heatmaps")


def test_baselines_of_any_builder(path):
    recipe, data = runs.load(path)
    recipe["arguments"] = {"units": 4, "modality": "a"}
    recipe["builder"] = "UnimodalClassifier"
    assert recipe_files.build(recipe_files.concatenation(recipe), data)
    assert list(recipe_files.build(recipe_files.only(recipe, "b"), data).input) == ["b"]


@pytest.mark.parametrize(
    "arguments", [{"unit": 3}, {"dropout": "x"}, {"fusion": {"class_name": ["x"]}}]
)
def test_arguments_that_no_builder_takes(path, arguments):
    recipe, data = runs.load(path)
    recipe["arguments"] = arguments
    with pytest.raises(ValueError):
        recipe_files.build(recipe, data)


def test_regression_needs_no_argument(path):
    recipe, _ = runs.load(path)
    runs.write(path.parent, y=runs.arrays()["b"][:, 1] + 0.5)
    data = datasets.load(recipe["dataset"])
    model = recipe_files.build(recipe, data)
    assert model.output_shape == (None, 1)
    assert model.get_layer("predictions").activation.__name__ == "linear"


def test_the_card_names_the_command():
    for name in recipes.names():
        text = (recipes.folder() / name / "recipe.toml").read_text()
        assert re.match(rf"# keras-fusion train {name}\n", text)
