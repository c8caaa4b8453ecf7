"""Masks in place of labels, and a recipe's own baselines: from evaluate to panel."""

import json

import numpy as np
import pytest
from PIL import Image

from keras_fusion import zoo
from keras_fusion.datasets import normalize_depth
from keras_fusion.experiments import (
    comparison,
    mask_files,
    prediction,
    recipes,
    scores,
    variants,
)
from keras_fusion.experiments.reports import panel
from keras_fusion.experiments.results import read
from tests.cli.running import CARD, run, succeed

pytestmark = pytest.mark.only_on("torch", reason="no backend changes it")

POINT = 13, 18
RECIPE = """
builder = "MutualFormerSegmenter"
dataset = "npz:{data}"

[arguments]
units = 4
encoder_depth = 0
modality_mask = true

[baselines.sum]
fusion = "Summation"

[training]
learning_rate = 1e-2
epochs = 2
batch_size = 10
"""


def arrays(rows=40):
    """A bright square that is also near; the mask is where it is."""
    rng = np.random.default_rng(0)
    masks = np.zeros((rows, 20, 24), int)
    for mask, y, x in zip(masks, rng.integers(0, 12, rows), rng.integers(0, 16, rows)):
        mask[y : y + 8, x : x + 8] = 255
    noise = rng.normal(size=(2, rows, 20, 24, 1))
    near = masks[..., None] / 255
    return {
        "rgb": (2 * near + noise[0]) * [1, 1, 1],
        "depth": near - noise[1],
        "y": masks,
    }


@pytest.fixture(scope="module")
def home(tmp_path_factory, quick):
    """The folder of a recipe and what `evaluate --publish` made of it."""
    pytest.importorskip("py_sod_metrics")
    folder = tmp_path_factory.mktemp("recipes") / "squares"
    folder.mkdir()
    np.savez(folder / "data.npz", **arrays())
    (folder / "recipe.toml").write_text(RECIPE.format(data=folder / "data.npz"))
    (folder / "README.md").write_text(CARD)
    options = "--seeds", 0, "--publish", "--runs", folder / "runs"
    (folder / "out.txt").write_text(succeed("evaluate", folder, *options))
    return folder


@pytest.fixture(scope="module")
def results(home):
    return read(home / "results.json")


def test_every_method_is_judged(results):
    assert results.metric == "foreground IoU"
    methods = ["model", "concatenation", "sum", "late average", "best single"]
    assert list(results.scores) == [*methods, "only-rgb", "only-depth"]
    assert list(results.paired) == methods[1:]
    for measures in results.measures.values():
        assert list(measures) == ["MAE", "max F", "max E", "S"]


def test_the_score_is_that_of_what_was_trained(home, results):
    recipe = recipes.read(str(home))
    data = recipes.load_data(recipe, 0)
    summed = variants.baseline(recipe, "sum")
    model = comparison.trained(
        summed, data, home / "runs" / "squares" / "sum" / "seed-0"
    )
    assert type(model.get_layer("fusion")).__name__ == "Summation"
    inputs = data.test.inputs | {"modality_mask": np.ones((8, 2), bool)}
    logits = model.predict(inputs, verbose=0)
    expected = scores.foreground_iou(data.test.labels, logits)
    assert results.scores["sum"].all == [pytest.approx(expected)]


def test_single_modalities_are_the_same_network(home):
    recipe = recipes.read(str(home))
    data = recipes.load_data(recipe, 0)
    model = variants.build(variants.only(recipe, "rgb"), data.only("rgb"))
    assert list(model.input) == ["rgb", "modality_mask"]
    assert type(model.get_layer("fusion")).__name__ == "MutualFormerBlock"
    joined = variants.build(variants.concatenation(recipe), data)
    assert type(joined.get_layer("fusion")).__name__ == "Concatenation"
    assert joined.output_shape == (None, 20, 24, 1)


def test_card_and_tables_name_the_measures(home):
    card, out = (home / "README.md").read_text(), (home / "out.txt").read_text()
    for words in ("| measure | MAE | max F | max E | S |", "foreground IoU"):
        assert words in card
    for words in ("by other measures", "only-depth", "sum"):
        assert words in out


def test_train_saves_probabilities_that_predict_reads(home):
    runs = home / "runs"
    succeed("train", home, "--seeds", 0, "--runs", runs, "--quiet")
    inputs = {name: x[:3] for name, x in arrays().items() if name != "y"}
    np.savez(home / "new.npz", **inputs)
    model = runs / "squares" / "model" / "seed-0" / "model.keras"
    found = json.loads(succeed("predict", model, home / "new.npz", "--json"))
    shares = np.array(found["probabilities"])
    assert shares.shape == (3, 20, 24, 1) and 0 < shares.min() < shares.max() < 1
    assert "of pixels" in succeed("predict", model, home / "new.npz")


@pytest.fixture(scope="module")
def model(home):
    succeed("train", home, "--seeds", 0, "--runs", home / "runs", "--quiet")
    return home / "runs" / "squares" / "model" / "seed-0" / "model.keras"


def scenes(folder, size=(20, 24)):
    """Three scenes as PNG files, of which the last has no depth."""
    rng = np.random.default_rng(0)
    for kind, channels in (("rgb", (3,)), ("depth", ())):
        (folder / kind).mkdir(parents=True)
        for name in "abc"[: 2 if kind == "depth" else 3]:
            pixels = rng.integers(1, 255, (*size, *channels)).astype("uint8")
            Image.fromarray(pixels).save(folder / kind / f"{name}.png")
    return folder


def test_a_folder_of_pictures_becomes_masks(model, tmp_path):
    folder = scenes(tmp_path / "in")
    out = succeed("predict", model, folder, "--output", tmp_path / "out")
    assert "1 of 3 scenes have no depth" in out and "resized" not in out
    rgb = [np.asarray(Image.open(folder / "rgb" / f"{n}.png")) for n in "abc"]
    depth = [np.asarray(Image.open(folder / "depth" / f"{n}.png")) for n in "ab"]
    depth = normalize_depth(np.stack([*depth, np.zeros((20, 24))]))
    there = np.array([[True, True], [True, True], [True, False]])
    inputs = {"rgb": np.stack(rgb), "depth": depth, "modality_mask": there}
    expected = prediction.predict(model, inputs)["probabilities"][..., 0] > 0.5
    assert 0 < expected.mean() < 1
    for name, mask in zip("abc", expected, strict=True):
        found = np.asarray(Image.open(tmp_path / "out" / f"{name}.png"))
        np.testing.assert_array_equal(found, 255 * mask)


def test_masks_have_the_size_of_their_pictures(model, tmp_path):
    folder = scenes(tmp_path / "in", (40, 30))
    out = succeed("predict", model, folder, "--output", tmp_path / "out")
    assert "3 of 3 scenes are not 20 x 24" in out
    with Image.open(tmp_path / "out" / "a.png") as mask:
        assert mask.size == (30, 40)


def test_classes_are_written_by_their_numbers():
    scores = np.eye(3)[[[0, 2], [1, 2]]]
    assert mask_files._classes(scores, None).tolist() == [[0, 2], [1, 2]]
    assert mask_files._classes(scores, ["0", "7", "9"]).tolist() == [[0, 9], [7, 9]]
    assert mask_files._classes(scores, ["a", "b", "c"]).tolist() == [[0, 2], [1, 2]]


def test_masks_need_a_folder_and_pictures(model, tmp_path):
    folder = scenes(tmp_path / "in")
    status, _, err = run("predict", model, folder)
    assert status == 2 and "name a folder for them by --output" in err
    (tmp_path / "empty" / "rgb").mkdir(parents=True)
    options = "--output", tmp_path / "out"
    status, _, err = run("predict", model, tmp_path / "empty", *options)
    assert status == 2 and "expected images ending in" in err
    assert not (tmp_path / "out").exists()


def test_panel(home, tmp_path):
    path = tmp_path / "panel.png"
    options = "--runs", home / "runs", "--output", path
    succeed("panel", home, "--row", 1, "--point", 5, 7, *options)
    picture = path.read_bytes()
    assert picture.startswith(b"\x89PNG") and picture.endswith(b"IEND\xaeB`\x82")
    status, _, err = run("panel", home, "--point", 20, 0, *options)
    assert status == 2 and "below (20, 24); received (20, 0)" in err
    status, _, err = run("panel", home, "--row", 8, *options)
    assert status == 2 and "below (8,); received (8,)" in err
    assert path.read_bytes() == picture


@pytest.fixture
def drawn(home):
    """A trained model, its data, and the pictures of test frame 1, by title."""
    model, data = panel.load(recipes.read(str(home)), home / "runs", home)
    found = panel.pictures(model, data, 1, POINT)
    return model, data, {picture.title: picture for picture in found}


def test_pictures_are_what_they_are_called(drawn):
    model, data, found = drawn
    raw = arrays()
    mean, std = data.statistics["depth"]
    depth = data.test.inputs["depth"][1] * std + mean
    row = np.abs(raw["depth"] - depth).sum(axis=(1, 2, 3)).argmin()
    expected = {
        "rgb": np.clip(raw["rgb"][row] / 255, 0, 1),
        "depth": raw["depth"][row, ..., 0],
        "truth": raw["y"][row] / 255,
        "prediction": model.predict(frame(data), verbose=0)[0, ..., 0],
    }
    for title, pixels in expected.items():
        np.testing.assert_allclose(found[title].pixels, pixels, atol=1e-5)
    marked = {title for title, picture in found.items() if picture.point == POINT}
    assert marked == set(found) - {"truth", "prediction"}


def frame(data):
    inputs = {name: x[1:2] for name, x in data.test.inputs.items()}
    return inputs | {"modality_mask": np.ones((1, 2), bool)}


def test_affinities_are_those_of_the_point(drawn):
    model, data, found = drawn
    related = zoo.affinities(model, frame(data), "fusion_up_1")
    titles = {
        "rgb": "affinity, rgb",
        "depth": "affinity, depth",
        ("rgb", "depth"): "affinity, depth to rgb",
        ("depth", "rgb"): "affinity, rgb to depth",
    }
    assert list(found)[4:] == list(titles.values())
    for key, title in titles.items():
        token = 4 * (13 // 8) + 18 // 8  # the padded frame has 4 x 4 cells of 8 pixels
        row = related[key][0, token].reshape(4, 4)
        np.testing.assert_allclose(found[title].pixels, row)
        assert found[title].cell == 8


def test_the_panel_draws_all_pictures(drawn, tmp_path, monkeypatch):
    from matplotlib import pyplot

    model, data, found = drawn
    figures = []
    monkeypatch.setattr(pyplot, "close", figures.append)
    panel.save_panel(model, data, 1, POINT, tmp_path / "panel.png")
    places = figures[0].axes
    assert [place.get_title() for place in places] == list(found)
    for place, picture in zip(places, found.values(), strict=True):
        (image,) = place.images
        np.testing.assert_array_equal(image.get_array(), picture.pixels)
        assert image.get_extent()[1] == 24 if picture.cell == 1 else 32
        marks = [line.get_xydata().tolist() for line in place.lines]
        assert marks == ([[[18, 13]]] if picture.point else [])
        if picture.limits:  # a probability of 0.4 everywhere is not white and black
            assert image.get_clim() == (0, 1)


def test_the_panel_of_other_data(home, tmp_path):
    other = tmp_path / "other.npz"
    np.savez(other, **{name: x[:20] for name, x in arrays().items()})
    options = "--runs", home / "runs", "--output", tmp_path / "panel.png"
    options = *options, "--dataset", f"npz:{other}"
    succeed("panel", home, "--row", 3, *options)
    status, _, err = run("panel", home, "--row", 4, *options)
    assert status == 2 and "below (4,)" in err


def test_baselines_can_be_left_out(home):
    recipe = recipes.changed(recipes.read(str(home)), usual_baselines=False)
    data = recipes.load_data(recipe, 0)
    assert list(comparison.variants(recipe, data)) == ["model", "sum"]


@pytest.mark.parametrize("name", ["only-depth", "without-rgb", "late average"])
def test_a_baseline_has_a_name_of_its_own(home, name):
    recipe = recipes.changed(recipes.read(str(home)), baselines={name: {}})
    data = recipes.load_data(recipe, 0)
    with pytest.raises(ValueError, match=f"may be called {name}:"):
        comparison.variants(recipe, data)


def test_the_panel_is_of_the_network_that_was_trained(home, tmp_path):
    recipe = recipes.read(str(home))
    recipe = variants.with_arguments(recipe, {"dropout": 0.9})
    for runs in (home / "runs", tmp_path):  # trained here, and published
        with pytest.raises(ValueError, match="differs from the recipe's in arguments"):
            panel.load(recipe, runs, home)


def test_the_panel_takes_what_was_published_beside_the_recipe(home, tmp_path):
    recipe = recipes.read(str(home))
    found, _ = panel.load(recipe, tmp_path, home)
    weights = variants.build(
        recipe,
        recipes.load_data(recipe, 0),
        weights=str(home / "model.weights.h5"),
        modality_mask=True,
    ).get_weights()
    for a, b in zip(found.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(a, b)
    with pytest.raises(ValueError, match="no trained weights"):
        panel.load(recipe, tmp_path, tmp_path)
