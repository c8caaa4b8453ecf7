"""InfoNCE between two modalities in both directions, against the loss of open_clip."""

import numpy as np
import pytest

from keras_fusion.common.gradients import with_gradients
from keras_fusion.ops import alignment_loss
from tests.recorded.recording import assert_recorded, read

DATA = read("open_clip_torch")


@pytest.mark.parametrize("rows", ["all", "some"])
def test_alignment_loss(rows):
    mask = None
    if rows == "some":
        mask = np.stack([np.ones(6, bool), DATA["there"]], axis=1)

    def run(embeddings):
        found = alignment_loss(embeddings, float(DATA["scale"]), mask)
        return found, found

    embeddings = [DATA[name].astype("float32") for name in ("first", "second")]
    found, slopes = with_gradients(run)(embeddings)
    assert_recorded(found, DATA[f"{rows}/loss"])
    assert_recorded(np.stack(slopes), DATA[f"{rows}/gradient"])
