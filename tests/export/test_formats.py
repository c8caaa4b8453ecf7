import keras
import numpy as np
import pytest

from keras_fusion import datasets, layers, zoo
from keras_fusion.common.names import DEFAULT, MASKED
from keras_fusion.datasets.standardization import measure
from keras_fusion.export import litert, onnx
from tests.conftest import assert_close, to_numpy

TOKENS = {"a": (3, 5), "b": (3, 4)}


@pytest.mark.slow
@pytest.mark.only_on("tensorflow", reason="TensorFlow writes these formats")
@pytest.mark.parametrize("form", [onnx, litert])
def test_they_hold_every_operator(form, tmp_path):
    """All in one model, since each conversion takes seconds."""
    inputs = {name: keras.Input((3, 4), name=name) for name in TOKENS}
    mask = keras.Input((len(TOKENS),), name="modality_mask", dtype="bool")
    fused = {
        name: keras.tree.flatten(operator()(list(inputs.values()), modality_mask=mask))[
            0
        ]
        for name, operator in layers.operators().items()
    }
    model = keras.Model(inputs | {"modality_mask": mask}, fused)
    form.write(model, tmp_path / form.FILE)
    rng = np.random.default_rng(0)
    batch = {name: rng.normal(size=(4, 3, 4)).astype("float32") for name in TOKENS}
    mask = np.array([[1, 1], [0, 1], [1, 0], [1, 1]], bool)
    flags = {f"{name}_present": there for name, there in zip(TOKENS, mask.T)}
    found = form.load(tmp_path / form.FILE)[MASKED[DEFAULT]](batch | flags)
    expected = model(batch | {"modality_mask": mask})
    assert found.keys() == layers.operators().keys()
    for name, x in found.items():
        assert_close(x, to_numpy(expected[name]))


@pytest.mark.slow
@pytest.mark.only_on("tensorflow", reason="TensorFlow writes these formats")
@pytest.mark.parametrize("form", [onnx, litert])
@pytest.mark.parametrize("operator", ["ModalityAttention", "MutualFormerBlock"])
def test_they_hold_what_surrounds_an_operator(operator, form, tmp_path):
    rng = np.random.default_rng(0)
    raw = {name: rng.normal(3, 2, (4, *shape)) for name, shape in TOKENS.items()}
    raw = {name: x.astype("float32") for name, x in raw.items()}
    raw["a"][1] = np.nan
    options = {"units": 4, "modality_mask": True}
    model = zoo.MutualFormerClassifier(TOKENS, 3, fusion=operator, **options)
    model = zoo.deployable(model, measure(raw))
    form.write(model, tmp_path / form.FILE)
    mask = datasets.modality_mask(raw)
    flags = {f"{name}_present": there for name, there in zip(raw, mask.T)}
    found = form.load(tmp_path / form.FILE)[MASKED[DEFAULT]](raw | flags)
    expected = model(raw | {"modality_mask": mask})
    assert {"probabilities"} <= found.keys() == expected.keys() - {"embedding"}
    for name, x in found.items():
        assert_close(x, to_numpy(expected[name]))


@pytest.mark.slow
@pytest.mark.only_on("tensorflow", reason="TensorFlow writes these formats")
@pytest.mark.parametrize(
    ("form", "message"),
    [
        (onnx, "ONNX has no operator for Erfinv: .*'onnx' and take the SavedModel"),
        (litert, "LiteRT has no operator for Erfinv: .*take 'onnx', or the SavedModel"),
    ],
)
def test_what_a_format_cannot_hold(form, message, tmp_path):
    x = keras.Input((3,), name="x")
    model = keras.Model({"x": x}, keras.ops.erfinv(x))
    with pytest.raises(ValueError, match=message) as error:
        form.write(model, tmp_path / form.FILE)
    assert "\n" not in str(error.value)
    assert list(tmp_path.iterdir()) == []
