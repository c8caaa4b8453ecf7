import dataclasses

import numpy as np
import pytest

from keras_fusion.experiments import variants
from keras_fusion.experiments.batches import Batches
from keras_fusion.experiments.class_weights import class_weights
from tests.experiments import runs

pytestmark = pytest.mark.only_on("torch", reason="no backend changes it")


@pytest.fixture
def loaded(tmp_path):
    return runs.load(runs.write(tmp_path))


def test_balanced_classes_count_the_same_in_sum(loaded):
    recipe, data = loaded
    labels = np.where(data.train.labels == 0, 1, data.train.labels)
    labels[:3] = 0
    data = dataclasses.replace(
        data, train=dataclasses.replace(data.train, labels=labels)
    )
    weights = class_weights(data, "balanced")
    sums = np.bincount(labels) * weights
    np.testing.assert_allclose(sums, len(labels) / 3, rtol=1e-6)

    model = variants.build(recipe, data, modality_mask=True)
    _, drawn, counted = Batches(data.train, model, 16, 0, weights)[0]
    np.testing.assert_array_equal(counted, weights[drawn])


def test_a_table_names_classes(loaded):
    _, data = loaded
    weights = class_weights(data, {"red": 3})
    expected = [3.0 if name == "red" else 1.0 for name in data.class_names]
    assert weights.tolist() == expected
    with pytest.raises(ValueError, match=r"names \['pink'\]; .* has \['blue', "):
        class_weights(data, {"pink": 2})
    assert class_weights(data, None) is None
