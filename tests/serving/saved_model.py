"""A small SavedModel with a signature for everything that a server must carry."""

import sys
from pathlib import Path

import numpy as np
import tensorflow as tf

RGB = np.float32([[1, 2, 3], [0.5, -1, 0]])
POSE = np.float32([[2, 1], [0.25, 4]])
NAMES = ["cat", "dög"]


class Small(tf.Module):
    """y = scale * (sum of rgb, sum of pose); what is absent counts as zero.

    The sums are products with ones: so the graph itself refuses another width, as that
    of any layer does. TensorFlow Serving asks nothing but the graph.
    """

    def __init__(self, scale):
        super().__init__()
        self.scale = tf.Variable(float(scale))

    def answer(self, rgb, pose):
        streams = [rgb @ tf.ones([3, 1]), pose @ tf.ones([2, 1])]
        scores = self.scale * tf.concat(streams, 1)  # (B, 2)
        return {
            "scores": scores,
            "classes": tf.gather(tf.constant(NAMES), tf.argmax(scores, 1)),
        }

    @tf.function
    def serving_default(self, rgb, pose):
        return self.answer(rgb, pose)

    @tf.function
    def serving_masked(self, rgb, pose, rgb_present, pose_present):
        rgb = tf.where(rgb_present[:, None], rgb, 0.0)
        pose = tf.where(pose_present[:, None], pose, 0.0)
        return self.answer(rgb, pose)

    @tf.function
    def double(self, x):
        return {"doubled": 2.0 * x}

    @tf.function
    def types(self, whole, exact, text, raw, flag):
        return {
            "whole": whole + 1,
            "exact": exact,
            "text": text,
            "raw_bytes": raw,
            "flag": tf.logical_not(flag),
        }

    @tf.function
    def slow(self, seconds):
        def more(_):
            return tf.timestamp() < end

        end = tf.timestamp() + tf.cast(tf.reduce_max(seconds), tf.float64)
        spent = tf.while_loop(more, lambda n: (n + 1,), (0,))
        return {"steps": tf.fill(tf.shape(seconds), spent[0])}


def rows(dtype, *shape, name):
    return tf.TensorSpec([None, *shape], dtype, name)


def save(folder, scale=1.0):
    """Writes the SavedModel into `folder`, whose name should be a number.

    Args:
        folder: Is made.
        scale: Of every score.
    """
    model = Small(scale)
    modalities = {
        "rgb": rows(tf.float32, 3, name="rgb"),
        "pose": rows(tf.float32, 2, name="pose"),
    }
    flags = {n: rows(tf.bool, name=n) for n in ("rgb_present", "pose_present")}
    kinds = {"whole": tf.int32, "exact": tf.float64, "text": tf.string}
    kinds |= {"raw": tf.string, "flag": tf.bool}
    specs = {
        "serving_default": modalities,
        "serving_masked": modalities | flags,
        "double": {"x": rows(tf.float32, name="x")},
        "types": {name: rows(kind, name=name) for name, kind in kinds.items()},
        "slow": {"seconds": rows(tf.float32, name="seconds")},
    }
    signatures = {
        name: getattr(model, name).get_concrete_function(**inputs)
        for name, inputs in specs.items()
    }
    tf.saved_model.save(model, str(folder), signatures=signatures)
    return folder


if __name__ == "__main__":
    # What a real TensorFlow Serving is to serve for these tests.
    save(Path(sys.argv[1]) / "small" / "1")
