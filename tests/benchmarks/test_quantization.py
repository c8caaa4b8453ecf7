import numpy as np
import pytest

from benchmarks import quantization
from keras_fusion import zoo
from keras_fusion.datasets.dataset import Split
from tests.zoo.samples import VECTORS, draw, randomize


class Data:
    """Rows of three vectors with one of three classes, as far as it is asked for."""

    classes, named_task = 3, None
    train = test = Split(draw(VECTORS, rows=8), np.arange(8) % 3, np.ones((8, 3), bool))


@pytest.mark.only_on("torch", reason="no backend changes it")
@pytest.mark.filterwarnings("ignore:Layer .* `quantize` method implemented")
@pytest.mark.filterwarnings("ignore:`model.quantize..`. .* skipped")  # Keras 3.16
def test_a_row_says_what_small_integers_change():
    model = randomize(zoo.FusionClassifier(VECTORS, 3, modality_mask=True))
    cell = quantization.measured(model, Data)
    assert 0 < cell["int8"]["mean_change"] < cell["int4"]["mean_change"]
    sizes = [cell[form]["bytes"] for form in ("float32", "int8", "int4")]
    assert sizes == sorted(sizes, reverse=True)
    cell["int8"] |= {"mean_change": 0.01234, "largest_change": 0.5}
    assert "| 0.0123 (0.500) |" in quantization.page({"Product": cell})
