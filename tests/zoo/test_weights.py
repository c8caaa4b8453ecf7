import shutil

import h5py
import keras
import numpy as np
import pytest

from keras_fusion import zoo
from keras_fusion.safety import allowed
from keras_fusion.zoo import published
from tests.conftest import assert_close
from tests.zoo.samples import SHAPES, VECTORS, draw, randomize

ARGUMENTS = {"units": 4, "dropout": 0.2, "depth": 2}


def build(shapes=VECTORS, **kwargs):
    return zoo.FusionClassifier(shapes, 3, **ARGUMENTS | kwargs)


@pytest.fixture
def trained(tmp_path):
    """A model and its weights file."""
    model = randomize(build(modality_mask=True, modality_dropout=0.3))
    model.save_weights(tmp_path / "model.weights.h5")
    return model, tmp_path / "model.weights.h5"


def all_there(inputs):
    rows = len(next(iter(inputs.values())))
    return inputs | {"modality_mask": np.ones((rows, len(inputs)), bool)}


@pytest.mark.only_on("torch", reason="no backend changes it")
@pytest.mark.parametrize("shapes", [VECTORS, SHAPES], ids=["vectors", "ranks"])
@pytest.mark.parametrize("builder", ["FusionClassifier", "LateFusionClassifier"])
def test_one_file_with_and_without_mask(builder, shapes, tmp_path):
    def new(**kwargs):
        return zoo.builders()[builder](shapes, 3, units=4, dropout=0.2, **kwargs)

    path, inputs = str(tmp_path / "x.weights.h5"), draw(shapes)
    masked = randomize(new(modality_mask=True, modality_dropout=0.3))
    masked.save_weights(path)
    plain = new(weights=path)
    assert_close(plain(inputs), masked(all_there(inputs)))
    randomize(plain, seed=1).save_weights(path)
    again = new(modality_mask=True, modality_dropout=0.3, weights=path)
    assert_close(again(all_there(inputs)), plain(inputs))


def test_by_the_name_of_a_recipe(trained, tmp_path, monkeypatch):
    model, path = trained
    for name in ("untrained", "tested"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "recipe.toml").write_text("")
    shutil.copy(path, tmp_path / "tested" / "model.weights.h5")
    monkeypatch.setattr(published, "folder", lambda: tmp_path)
    loaded = build(weights="tested")
    assert_close(loaded(draw(VECTORS)), model(all_there(draw(VECTORS))))
    with pytest.raises(ValueError, match="'testd'. Did you mean 'tested'. .*: tested"):
        build(weights="testd")
    with pytest.raises(ValueError, match="No .* 'untrained'"):
        build(weights="untrained")


@pytest.mark.parametrize("share", [0, 0.5, 0.95])
def test_a_truncated_file(trained, share):
    _, path = trained
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ValueError, match="not a whole weights file"):
        build(weights=str(path))


def test_a_file_whose_numbers_lie_in_another_file(trained, tmp_path):
    _, path = trained
    other = tmp_path / "private"
    with h5py.File(path, "a") as file:
        kernel = "layers/dense/vars/0"
        shape, size = file[kernel].shape, file[kernel].nbytes
        other.write_bytes(bytes(size))
        del file[kernel]
        file.create_dataset(kernel, shape, "float32", external=[(other, 0, size)])
    with pytest.raises(
        allowed.Unsafe, match="takes 'layers/dense/vars/0' out of anoth"
    ):
        build(weights=str(path))


@pytest.mark.only_on("torch", reason="no backend changes it")
@pytest.mark.parametrize(
    "other",
    [
        {"depth": 1},
        {"depth": 3},
        {"encoder_depth": 0},
        {"encoder_depth": 2},
        {"units": 8},
        {"fusion": "Summation"},
        {"shapes": {"a": (5,), "b": (3,)}},
        {"shapes": {"a": (5,), "c": (4,), "b": (3,)}},
    ],
    ids=str,
)
def test_weights_of_another_architecture(trained, other):
    with pytest.raises(ValueError, match="fusion_classifier"):
        build(weights=str(trained[1]), **other)


def test_equal_shapes_in_another_order(tmp_path):
    one, other = {"a": (4,), "b": (4,)}, {"b": (4,), "a": (4,)}
    path = str(tmp_path / "x.weights.h5")
    build(one).save_weights(path)
    with pytest.raises(ValueError, match="another architecture"):
        build(other, weights=path)


@pytest.mark.parametrize(
    "builder", ["FusionClassifier", "LateFusionClassifier", "UnimodalClassifier"]
)
def test_a_keras_file_gives_the_same_numbers(builder, tmp_path):
    shapes = {"rgb": SHAPES["rgb"]} if builder == "UnimodalClassifier" else SHAPES
    model = zoo.builders()[builder](
        shapes, 3, units=4, modality_mask=True, modality_dropout=0.3
    )
    randomize(model).save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    inputs = all_there(draw(shapes))
    inputs["modality_mask"][0, 0] = False
    assert_close(loaded(inputs), model(inputs))
