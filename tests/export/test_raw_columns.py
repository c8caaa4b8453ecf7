"""An export that takes a person's raw columns gives the model's own numbers."""

import numpy as np
import pytest

from keras_fusion import datasets, export
from keras_fusion.datasets.columns import preprocessor, raw
from keras_fusion.export.raw_columns import COLUMNS
from keras_fusion.zoo import FusionClassifier
from keras_fusion.zoo.parts.deployable import deployable

TABLE = {
    "size (cm)": [1.5, None, 3, 4, 5, 6, 7, 8, 9, 10] * 4,
    "größe": ["s", "l", None, "m", "s", "l", "m", "s", "l", "m"] * 4,
    "note": [f"the {w} hat" for w in ("red", "blue", "old", "new", "no")] * 8,
    "y": ["a", "b"] * 20,
}
SPEC = {
    "table": {"columns": ["size (cm)", "größe"]},
    "note": {"text": "note", "length": 4},
}


@pytest.mark.slow
@pytest.mark.only_on("tensorflow", "torch", reason="two ways to write an export")
def test_raw_rows_give_the_answers_of_encoded_rows(tmp_path):
    data = datasets.table(TABLE, label="y", modalities=SPEC)
    model = FusionClassifier(
        data.input_shapes,
        2,
        units=4,
        encoders=data.preprocessor.encoders(units=4),
        modality_mask=True,
    )
    data.preprocessor.save(tmp_path / "columns.json")
    folder = export.export(
        deployable(model, data.statistics),
        tmp_path / "model",
        samples=data.samples,
        trained={"probabilities": model.predict(data.samples, verbose=0)},
        labels=data.class_names,
        raw=export.RawColumns(
            preprocessor.__name__, tmp_path / "columns.json", data.raw_samples
        ),
    )
    learned = datasets.Preprocessor.load(folder / COLUMNS)
    rows = {"note": ["a green hat", "", None], "size (cm)": [3, None, 1e9]}
    inputs, mask = learned.encode(rows)
    expected = export.signature(folder)(
        inputs | {f"{m}_present": x for m, x in zip(inputs, mask.T)}
    )
    received = export.signature(folder, "serving_raw")(raw.values(learned, rows))
    assert (received.pop("modality_mask") == mask).all()
    assert received.keys() == expected.keys()
    for name, x in received.items():
        if name != "classes":
            np.testing.assert_allclose(x, expected[name], atol=1e-5)
        else:
            assert x.tolist() == expected[name].tolist()
