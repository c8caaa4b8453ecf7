"""Backbones of a recipe: when they learn, at which rate, and after a kill."""

import keras
import numpy as np
import pytest

from keras_fusion.common.errors import InputError
from keras_fusion.datasets import load, table
from keras_fusion.experiments import (
    fine_tuning,
    kept_rows,
    prediction,
    recipes,
    saving,
    single_run,
    training,
    variants,
)
from keras_fusion.experiments.identity import identity_of
from keras_fusion.export import portable
from tests.conftest import assert_close, tried_here
from tests.experiments import runs

RECIPE = """
dataset = "npz:{data}"

[arguments]
units = 4
dropout = 0.0
modality_dropout = 0.0
encoders.scan = {{ backbone = "{net}", weights = "none", SAID }}

[training]
optimizer = "adam"
learning_rate = 1e-2
weight_decay = 1e-2
epochs = 4
batch_size = 20
patience = 0
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a network of pictures."""
    folder = tmp_path_factory.mktemp("recipes")
    layers = keras.layers
    keras.Sequential(
        [
            keras.Input((4, 4, 3)),
            layers.Rescaling(1 / 255, name="preparation"),
            layers.Conv2D(4, 3, data_format="channels_last", name="conv"),
            layers.BatchNormalization(name="norm"),
        ]
    ).save(folder / "net.keras")
    return folder


def recipe(folder, said, **training):
    """The recipe of a network of which this is said, and its data."""
    text = RECIPE.replace("SAID", said).replace("{net}", str(folder / "net.keras"))
    rng = np.random.default_rng(0)
    scan = rng.integers(0, 255, (100, 4, 4, 3)).astype("uint8")
    return runs.load(runs.write(folder, text, scan=scan), **training)


def network(folder, loaded):
    """The weights of the backbone of a run that is done."""
    model = portable.load(folder / single_run.TRAINED)
    return model.get_layer("scan_backbone").get_weights()


def states(folder, loaded, run, **options):
    """The weights of the backbone in the beginning and after each epoch of a run."""
    found = []

    def keep(*_):
        layer = callback.model.get_layer("scan_backbone")
        found.append([x.copy() for x in layer.get_weights()])

    callback = keras.callbacks.LambdaCallback(on_epoch_end=keep)
    training.fit(*loaded, 0, run, callbacks=[callback], **options)
    return found


def moved(states):
    """Whether anything moved from one of these to the next."""
    return [
        any(not np.array_equal(a, b) for a, b in zip(*pair, strict=True))
        for pair in zip(states, states[1:])
    ]


@pytest.mark.parametrize(
    "said, expected",
    [
        ("trainable = false", [False, False, False]),
        ("trainable = true", [True, True, True]),
        ('trainable = "after:2 epochs"', [False, True, True]),
    ],
)
def test_a_backbone_learns_when_the_recipe_says_so(folder, tmp_path, said, expected):
    loaded = recipe(folder, said)
    assert moved(states(folder, loaded, tmp_path / "run")) == expected


@pytest.mark.slow
def test_stopping_early_waits_for_what_is_still_frozen(folder, tmp_path):
    loaded = recipe(folder, 'trainable = "after:3 epochs"', patience=1, epochs=5)
    found = states(folder, loaded, tmp_path / "run")
    assert len(found) > 3
    assert moved(found)[:3] == [False, False, True]


@pytest.mark.slow
def test_a_rate_of_its_own_moves_a_backbone_alone(folder, tmp_path):
    """One that is the model's changes nothing; one near zero moves it nowhere."""
    runs_ = {}
    for rate in ("", ", learning_rate = 1e-2", ", learning_rate = 1e-30"):
        loaded = recipe(folder, f"trainable = true{rate}")
        run = tmp_path / f"run{len(runs_)}"
        found = states(folder, loaded, run)
        runs_[rate] = [w for state in found for w in state[:2]], run
    (plain, first), (same, second), (slow, third) = runs_.values()
    # The kernels: Adam walks on the noise of a bias, whose slope before a norm is 0.
    for a, b in zip(plain[::2], same[::2], strict=True):
        assert_close(a, b)
    assert np.ptp([w.sum() for w in slow[::2]]) == 0
    assert np.ptp([w.sum() for w in plain[::2]]) > 0
    models = [portable.load(run / single_run.TRAINED) for run in (first, third)]
    heads = [m.get_layer("predictions").get_weights()[0] for m in models]
    assert np.abs(heads[0] - heads[1]).max() > 0
    assert all(np.abs(head).max() > 0 for head in heads)


@pytest.mark.slow
@pytest.mark.only_on("torch", "jax", reason="TensorFlow compiles for minutes")
@pytest.mark.parametrize("kept", tried_here([2, 1, 3]))
def test_a_run_goes_on_exactly_in_every_stage(folder, tmp_path, monkeypatch, kept):
    """Killed in the first stage, at its end, and in the second."""
    loaded = recipe(folder, 'trainable = "after:2 epochs", learning_rate = 1e-3')
    whole = training.fit(*loaded, 0, tmp_path / "whole")

    class Killed(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch + 1 == kept:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        training.fit(
            *loaded, 0, tmp_path / "run", checkpoint_every=0, callbacks=[Killed()]
        )
    assert (tmp_path / "run" / "checkpoint.npz").is_file()
    again = training.fit(*loaded, 0, tmp_path / "run", checkpoint_every=0)
    assert again.history == whole.history
    first, second = (
        portable.load(tmp_path / name / single_run.TRAINED).get_weights()
        for name in ("whole", "run")
    )
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.slow
def test_the_saved_model_takes_what_the_network_was_made_for(folder, tmp_path):
    """Colors as they are: nothing scales them before the network does."""
    loaded = recipe(folder, "trainable = false")
    assert loaded[1].train.inputs["scan"].dtype == np.uint8
    training.fit(*loaded, 0, tmp_path / "run")
    path = saving.save_deployable(*loaded, tmp_path / "run")
    rows = kept_rows.samples(path)
    answers = prediction.predict(path, rows)["probabilities"]
    assert_close(answers, kept_rows.trained(path)["probabilities"])


def test_another_network_in_the_file_is_another_run(folder, tmp_path):
    loaded = recipe(folder, "trainable = false")
    before = identity_of(*loaded, 0, "float32")
    model = keras.saving.load_model(folder / "net.keras")
    (tmp_path / "net.keras").write_bytes((folder / "net.keras").read_bytes())
    model.set_weights([x + 1 for x in model.get_weights()])
    content = (folder / "net.keras").read_bytes()
    try:
        model.save(folder / "net.keras")
        assert identity_of(*loaded, 0, "float32") != before
    finally:
        (folder / "net.keras").write_bytes(content)
    assert identity_of(*loaded, 0, "float32") == before


def test_rates_fall_to_zero_along_one_cosine():
    whole = fine_tuning.falling(0, 4, 10)(1.0)
    rest = fine_tuning.falling(2, 4, 10)(1.0)
    assert_close(float(whole(20)), float(rest(0)))
    assert float(rest(20)) == 0


@pytest.mark.parametrize(
    "encoder, words",
    [
        (
            '"/elsewhere/net.keras"',
            "names /elsewhere/net.keras, which lies",
        ),
        ('{ backbone = "keras_hub:hf://a/b" }', "takes no backbone from hf://a/b"),
        ('{ backbone = "keras_hub:/elsewhere" }', "names /elsewhere, which lies"),
        (
            '{ backbone = "keras_applications:VGG16", weights = "/w.weights.h5" }',
            "names /w.weights.h5, which lies neither under",
        ),
        ('{ backbone = "x", trainable = "later" }', "trainable of the encoder of 'a'"),
    ],
)
def test_a_recipe_takes_no_backbone_from_elsewhere(tmp_path, encoder, words):
    path = tmp_path / "recipe.toml"
    path.write_text(f'dataset = "mfeat"\n[arguments.encoders]\na = {encoder}\n')
    with pytest.raises(InputError, match=words):
        recipes.read(str(path))


def test_what_a_backbone_takes_is_not_scaled():
    said = {"encoders": {"pix": "keras_applications:VGG16"}}
    recipe = recipes.Recipe(name="x", dataset="mfeat", arguments=said)
    pixels = recipes.load_data(recipe, 0).train.inputs["pix"]
    raw = load("mfeat", scale="none").train.inputs["pix"]
    np.testing.assert_array_equal(pixels, raw)


def test_words_of_a_table_are_not_those_of_a_trained_network(tmp_path):
    text = ["a red hat", "two blue shoes", "one green coat", "no hat at all"] * 10
    data = table({"text": text, "y": ["a", "b"] * 20}, label="y", modalities=TEXT)
    said = {"encoders": {"text": "keras_hub:bert_tiny_en_uncased"}}
    own = recipes.Recipe(name="x", dataset="x", arguments=said)
    with pytest.raises(InputError, match="bert_tiny.* was trained on other numbers"):
        variants.build(own, data)


TEXT = {"text": {"text": "text"}}
