import keras
import pytest

from keras_fusion.export import litert, onnx


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
