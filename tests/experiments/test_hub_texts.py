"""A recipe with a network of KerasHub for a text: its tokenizer comes along."""

import csv

import numpy as np
import pytest

from keras_fusion import datasets, export
from keras_fusion.common.errors import InputError
from keras_fusion.common.names import MASK
from keras_fusion.datasets.columns import raw
from keras_fusion.experiments import prediction, recipes, saving, training, variants
from keras_fusion.experiments.for_export import for_export
from keras_fusion.export.raw_columns import COLUMNS
from keras_fusion.safety import archives
from tests import hub_presets
from tests.conftest import assert_close

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # KerasHub closes no file
]
RECIPE = """
dataset = "table:{folder}/notes.csv"
label = "ill"

[arguments]
units = 4
encoders.note = "keras_hub:{folder}/roberta"

[training]
epochs = 1
"""
ROWS = {
    "note": ["the red hat!", "", None, "the größe \x00 漢"],
    "age": [31, None, 5, 8],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder of presets, of a table, and of a recipe that names both."""
    folder = hub_presets.save(tmp_path_factory.mktemp("recipes"))
    with open(folder / "notes.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["age", "note", "ill"])
        for row in range(60):
            note = "" if row % 9 == 0 else f"the red hat {row}"[: 4 + row]
            writer.writerow([row % 7 + 20, note, row % 2])
    (folder / "notes.toml").write_text(RECIPE.format(folder=folder))
    return folder


@pytest.fixture(scope="module")
def model(folder):
    """The `.keras` file that came of the recipe."""
    recipe = recipes.read(str(folder / "notes.toml"))
    data = recipes.load_data(recipe, 0)
    training.fit(recipe, data, 0, folder / "run")
    return saving.save_deployable(recipe, data, folder / "run")


def test_the_text_has_the_tokens_of_the_preset(folder):
    data = recipes.load_data(recipes.read(str(folder / "notes.toml")), 0)
    (column,) = data.preprocessor.modalities["note"]
    assert column.state["tokenizer"]["preset"] == f"keras_hub:{folder}/roberta"
    assert data.train.inputs["note"].dtype == np.int32


def test_a_file_of_its_layers_makes_them_known(model, monkeypatch):
    asked = []
    monkeypatch.setattr(archives.kerashub, "package", lambda: asked.append(1))
    archives.check_model(model, compiled=False)
    assert asked


@pytest.mark.only_on("torch", reason="the longer of two ways to an export")
def test_the_export_takes_the_text(folder, model):
    saved = export.export(model, folder / "saved", **for_export(model))
    learned = datasets.Preprocessor.load(saved / COLUMNS)
    received = export.signature(saved, "serving_raw")(raw.values(learned, ROWS))
    inputs, mask = learned.encode(ROWS)
    assert (received["modality_mask"] == mask).all()
    expected = prediction.predict(model, inputs | {MASK: mask})["probabilities"]
    assert_close(received["probabilities"], expected)


def test_a_network_of_another_preset_is_refused(folder):
    recipe = recipes.read(str(folder / "notes.toml"))
    data = recipes.load_data(recipe, 0)
    other = {"encoders": {"note": f"keras_hub:{folder}/bert"}}
    with pytest.raises(InputError, match="has the tokens of .*roberta.*same preset"):
        variants.build(variants.with_arguments(recipe, other), data)


def test_a_recipe_takes_no_tokenizer_from_elsewhere(tmp_path):
    recipe = tmp_path / "x.toml"
    said = 'dataset = "mfeat"\n[modalities.note]\ntext = "note"\ntokenizer = "{}"\n'
    recipe.write_text(said.format("keras_hub:/elsewhere"))
    with pytest.raises(InputError, match="names /elsewhere, which lies"):
        recipes.read(str(recipe))
