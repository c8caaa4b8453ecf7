import dataclasses
import json
import re
import tomllib

import numpy as np
import pytest

from keras_fusion.common.errors import InputError
from keras_fusion.experiments import folds, recipes, schema, variants
from keras_fusion.zoo import published
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
    assert published.names()
    for name in published.names():
        recipe = recipes.read(name)
        assert recipe.name == name
        if not shared.there(recipe.dataset):
            continue  # its data are not shipped
        data = recipes.load_data(recipe, 0)
        model = variants.build(recipe, data)
        assert model.output_shape == (None, *data.train.labels.shape[1:], data.classes)


def test_what_is_left_out_is_filled_in(path):
    recipe = recipes.read(str(path))
    given = tomllib.loads(path.read_text())
    assert recipe.arguments == given["arguments"]
    assert recipe.training == recipes.Training(**given["training"])
    assert recipe.builder == "FusionClassifier"


def test_a_recipe_is_a_value(path):
    """What `results.json` holds of a recipe gives the same one again."""
    recipe = recipes.changed(
        recipes.read(str(path)),
        task="regression",
        ignore=["id"],
        scale={"a": "quantile"},
        modalities={"clinic": {"columns": ["age", "sex"]}},
        class_weight={"red": 2},
        patience=5,
        baselines={"sum": {"fusion": "Summation"}},
    )
    given = json.loads(json.dumps(recipes.plain(recipe)))
    assert schema.read(recipes.Recipe, given, "results") == recipe
    with pytest.raises(dataclasses.FrozenInstanceError):
        recipe.training.epochs = 3


def test_it_is_called_by_its_folder_or_file(path):
    assert recipes.read(str(path)).name == "tiny"
    path.rename(path.with_name("recipe.toml"))
    assert recipes.read(str(path.parent)).name == "home"


def test_a_file_beside_a_recipe_has_both_names(path):
    """Else the ablations of two recipes would share one folder of runs."""
    path.with_name("recipe.toml").write_bytes(path.read_bytes())
    assert recipes.read(str(path)).name == "home-tiny"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("dataset = 3", "dataset must be a text; received 3"),
        ("epoch = 3", r"unknown keys \['epoch'\]; the known ones are \['builder'"),
        ("training = 3", "training must be a table; received 3"),
        ('builder = "FusionClasifier"', "Did you mean 'FusionClassifier'"),
        ("label = { a = 1 }", "label must be a text or a list of texts; received"),
        ("[training]\nepochs = 0", "epochs must be a whole number from 1; received 0"),
        ("[training]\nepochs = 2.0", "epochs must be a whole number"),
        ("[training]\nbatch_size = true", "batch_size must be a whole number"),
        ("[training]\nlearning_rate = nan", "learning_rate must be a number from 0"),
        ("[training]\nweight_decay = -1", "weight_decay must be a number from 0"),
        ("[training]\nseeds = []", "seeds must be a list"),
        ("[training]\nseeds = [-1]", "seeds must be a list"),
        ("[training]\nsteps = 1", r"\[training\] has unknown keys \['steps'\]"),
        ('[split]\nlabels_per_class = "2"', "labels_per_class must be a whole number"),
        ('[split]\nby = "weekday"', "by must be one of .* received 'weekday'"),
        ('[split]\nby = "fold:4/3"', "by must be one of"),
        ('group_by = "suffix"', 'group_by must be "kind" or "prefix"'),
        ('task = "ranking"', 'task must be "classification", .* or "survival"'),
        ('ignore = "id"', "ignore must be a list of texts; received 'id'"),
        ("scale = { a = 2 }", 'scale must be "auto", .* a table that gives a modality'),
        ("scale = 2", 'scale must be "auto"'),
        ("modalities = [1]", "modalities must be a table for each modality"),
        ("[training]\npatience = -1", "patience must be a whole number from 0"),
        ("[split]\ntrain_on_validation = true", "no rows are left to stop by"),
        ("[training]\nclass_weight = 2", 'class_weight must be "balanced" or a'),
        ("baselines = { a = 3 }", "baselines must be a table for each baseline"),
        ('[baselines."a/b"]', "baselines must be a table for each baseline"),
        ('name = "other"', "a recipe is called by its folder"),
        ("[", "not a TOML file"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path, line, message):
    text = line if line.startswith("dataset") else f'dataset = "mfeat"\n{line}'
    with pytest.raises(ValueError, match=message):
        recipes.read(written(tmp_path, text))


def test_a_recipe_without_data(tmp_path):
    with pytest.raises(ValueError, match="names no `dataset`"):
        recipes.read(written(tmp_path, ""))


def test_no_such_recipe_lists_the_names():
    with pytest.raises(ValueError, match="Did you mean 'mfeat_modality_attention'"):
        recipes.read("mfeat_modality_atention")


def test_changes_leave_the_recipe_as_it_was(path):
    recipe = recipes.read("mfeat_modality_attention")
    before = repr(recipe)
    other = recipes.changed(recipe, dataset="csv:x.csv", label="z", epochs=7, seeds=[9])
    assert (other.dataset, other.label) == ("csv:x.csv", "z")
    assert (other.training.epochs, other.training.seeds) == (7, (9,))
    assert other.split.labels_per_class is None  # made for the recipe's data
    assert other.arguments == recipe.arguments
    assert recipes.changed(recipe, epochs=None, seeds=None) == recipe
    assert repr(recipe) == before
    with pytest.raises(ValueError, match="epochs must be a whole number"):
        recipes.changed(recipe, epochs=-1)


def test_the_card_names_the_command():
    for name in published.names():
        text = (published.folder() / name / "recipe.toml").read_text()
        assert re.match(rf"# keras-fusion train {name}\n", text)


LOOKED_UP = """
[[arguments.encoders.a]]
class_name = "Embedding"
config = {{ input_dim = 300, output_dim = 4 }}
"""


@pytest.mark.only_on("torch", reason="no backend changes it")
@pytest.mark.parametrize("dtype", ["int64", "float32"])
def test_what_is_looked_up_is_not_standardized(dtype, tmp_path):
    codes = np.random.default_rng(0).integers(0, 300, (100, 5)).astype(dtype)
    text = runs.RECIPE.replace("[training]", LOOKED_UP + "[training]")
    recipe, data = runs.load(runs.write(tmp_path, text, a=codes))
    found = np.concatenate([part.inputs["a"] for part in (data.train, data.test)])
    assert found.dtype == dtype and np.isin(found, codes).all() and found.max() > 200
    assert abs(data.train.inputs["b"].mean()) < 0.1  # the others are
    assert variants.build(recipe, data).input["a"].dtype == "int32"
    scaled = dataclasses.replace(recipe, scale={"a": "feature"})  # unless asked for
    assert recipes.load_data(scaled, 0).train.inputs["a"].max() < 10


@pytest.mark.only_on("torch", reason="no backend changes it")
def test_a_recipe_says_how_rows_are_split_and_columns_grouped(tmp_path):
    days = [f"2024-01-{1 + i % 28:02}" for i in range(99)]
    lines = [f"{i % 7},{i % 9},{i % 8},{i % 10},{days[i]},{i % 2}" for i in range(99)]
    table = tmp_path / "t.csv"
    table.write_text("\n".join(["rgb_a,rgb_b,depth_a,patient,day,y", *lines]))
    text = f"""
    dataset = "table:{table}"
    groups = "patient"
    group_by = "prefix"
    [split]
    by = "random"
    """
    recipe = recipes.read(written(tmp_path, text))
    data = recipes.load_data(recipe, 0)
    assert list(data.columns) == ["rgb", "depth", "day"]
    assert len(data.test.labels) == 20  # two patients of ten
    later = dataclasses.replace(recipe.split, by="time:day")
    recipe = dataclasses.replace(recipe, split=later, groups=None)
    data = recipes.load_data(recipe, 0)
    assert "day" in data.left_out and "day" not in data.columns
    with pytest.raises(InputError, match="splits by 'time:day'"):
        folds.fit(recipe, 0, 3, tmp_path)
