"""The multimodal adaptation gate, against that of multimodal-transformers."""

from keras_fusion.layers import FeatureModulation
from tests.recorded.recording import affine, assert_recorded, assign_affine, read


def test_feature_modulation():
    data = read("multimodal_transformers")
    weights = read("multimodal_transformers", "weights/")
    inputs = [data[n].astype("float32") for n in ("text", "categories", "numbers")]
    op = FeatureModulation(form="mag", max_shift=float(data["beta"]))
    op.build([x.shape for x in inputs])
    for m, name in enumerate(("cat", "num")):
        assign_affine(op.gates[m], affine(weights, f"g_{name}_layer"))
        assign_affine(op.modulations[m], affine(weights, f"h_{name}_layer"))
    assert_recorded(op(inputs), data["output"])
