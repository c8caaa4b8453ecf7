"""What a SavedModel does to raw values is what numpy does to them."""

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from keras_fusion.datasets.columns.kinds import KINDS
from tests.datasets.columns.examples import OPTIONS, TRAINING, VALUES, column

CASES = [(name, o) for name in KINDS for o in OPTIONS.get(name, [{}])]
TOLERANCE = 1e-6


def test_every_kind_has_examples():
    assert KINDS.keys() == TRAINING.keys() == VALUES.keys()


@pytest.mark.slow
@pytest.mark.only_on("tensorflow", reason="it compares TensorFlow's ops with numpy")
@pytest.mark.parametrize("name, options", CASES)
def test_graph_and_encode_agree(name, options):
    import tensorflow as tf

    kind = KINDS[name]
    state = kind.fit(column(TRAINING[name]), **options)
    shape = kind.raw_shape(state) if hasattr(kind, "raw_shape") else ()
    spec = tf.TensorSpec([None, *shape], kind.RAW)
    graph = tf.function(kind.graph(state), input_signature=[spec])

    # A case of many bytes would be made smaller for minutes.
    @settings(max_examples=40, deadline=None, phases=[Phase.generate])
    @given(st.lists(VALUES[name], min_size=1, max_size=20))
    def agree(values):
        expected, present = kind.encode(column(values), state)
        raw = np.array(values, float) if kind.RAW == "float64" else values
        raw = kind.raw(values, state) if shape else raw
        encoded, there = graph(tf.constant(raw, kind.RAW))
        assert there.numpy().tolist() == present.tolist()
        assert encoded.dtype.as_numpy_dtype == expected.dtype
        np.testing.assert_allclose(encoded, expected, TOLERANCE, TOLERANCE)

    agree()
