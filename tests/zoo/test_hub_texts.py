"""Networks of texts by name, behind their own tokenizers."""

import keras
import numpy as np
import pytest

from keras_fusion import zoo
from keras_fusion.datasets.columns import text
from tests import hub_presets
from tests.conftest import assert_close, to_numpy
from tests.datasets.columns.examples import column

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # KerasHub closes no file
]
TEXTS = column(["the red hat!", "größe", "", "hats and hats"])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return hub_presets.save(tmp_path_factory.mktemp("presets"))


@pytest.mark.parametrize("fusion", ["GatedMultimodalUnit", "JointAttention"])
@pytest.mark.parametrize("name", ["bert", "roberta"])
def test_how_much_is_padded_moves_nothing(folder, name, fusion):
    preset = f"keras_hub:{folder / name}"
    keras.utils.set_random_seed(0)
    shapes = {"text": (None,), "age": (2,)}
    model = zoo.FusionClassifier(
        shapes, 3, units=4, fusion=fusion, encoders={"text": preset}
    )
    answers = []
    for length in (20, 31):
        state = text.fit(TEXTS, tokenizer=preset, length=length)
        ids, _ = text.encode(TEXTS, state)
        answers.append(model({"text": ids, "age": np.ones((4, 2))}))
    assert_close(*answers)
    # what stands in the text moves it
    assert np.ptp(to_numpy(answers[0])[:2], axis=0).max() > 1e-4


def test_more_tokens_than_the_network_knows_are_refused(folder):
    with pytest.raises(ValueError, match="at most 32 tokens; .* rows of 33: say len"):
        zoo.backbone(f"keras_hub:{folder / 'bert'}", (33,))
