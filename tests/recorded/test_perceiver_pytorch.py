"""Latents that read tokens, against the cross-attention of perceiver-pytorch."""

import numpy as np

from keras_fusion.layers import LatentAttention
from tests.recorded.recording import affine, assert_recorded, assign_affine, read


def test_latent_attention():
    """Both modalities' tokens are one set there, and only the output has a bias."""
    data = read("perceiver_pytorch")
    weights = read("perceiver_pytorch", "weights/")
    inputs = np.split(data["tokens"].astype("float32"), [4], axis=1)
    op = LatentAttention(num_latents=3, num_heads=2, readout=None)
    op.build([x.shape for x in inputs])
    op.latents.assign(data["latents"])
    keys, values = np.split(affine(weights, "to_kv"), 2, axis=1)
    assign_affine(op.query_dense, affine(weights, "to_q"))
    op.key_dense.kernel.assign(keys[:-1])
    assign_affine(op.value_dense, values)
    assign_affine(op.output_dense, affine(weights, "to_out"))
    found = op(inputs, mask=np.split(data["mask"], [4], axis=1))
    assert_recorded(found, data["output"])
