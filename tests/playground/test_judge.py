import base64
import csv
import io

import numpy as np
import pytest

from keras_fusion.common.names import MASK
from keras_fusion.experiments import prediction
from keras_fusion.playground.judge import Judge, uncertainty
from keras_fusion.playground.rows import Rows, of_file
from keras_fusion.playground.shown import COLORS

pytestmark = pytest.mark.only_on("torch", reason="no backend changes it")


@pytest.mark.slow
def test_off_is_a_column_that_is_empty(model):
    whole = model.parents[4] / "birds.csv"
    with open(whole, encoding="utf-8") as file:
        table = [row | {"photo": ""} for row in csv.DictReader(file)][:4]
    emptied = whole.with_name("emptied.csv")
    with open(emptied, "w", encoding="utf-8") as file:
        writer = csv.DictWriter(file, table[0])
        writer.writeheader()
        writer.writerows(table)
    rows = prediction.read_rows(model, emptied)
    expected = prediction.predict(model, rows.inputs)
    judge = Judge(model, of_file(model, whole))
    for row in range(4):
        found = judge.answer(row, {judge.modalities.index("photo")})
        shares = [one["value"] for one in found["probabilities"]]
        np.testing.assert_allclose(shares, expected["probabilities"][row], rtol=1e-4)
        np.testing.assert_allclose(
            found["weights"], expected["modality_weights"][row], rtol=1e-4, atol=1e-7
        )
        assert judge.answer(row, set())["probabilities"] != found["probabilities"] or (
            row == 0  # whose photo is absent
        )


def stub(monkeypatch, answer):
    """A judge of two rows `b` and `a`, whose model takes `a` first."""
    monkeypatch.setattr(prediction, "modalities", lambda path: ["a", "b"])
    monkeypatch.setattr(prediction, "Predictor", lambda path: answer)
    monkeypatch.setattr(prediction, "class_names", lambda path, outputs: None)
    inputs = {"b": np.zeros((2, 1)), "a": np.ones((2, 1))}
    present = np.array([[True, False], [True, True]])
    return Judge("model.keras", Rows(inputs, present, {}, ["0", "1"]))


def test_masks_are_in_the_order_of_the_model(monkeypatch):
    def answer(inputs):
        return {"predictions": inputs[MASK] @ [[1.0], [10.0]]}

    judge = stub(monkeypatch, answer)
    assert judge.present(0) == [False, True]
    assert judge.answer(0, set()) == {"number": 10, "weights": None}
    assert judge.answer(1, {1})["number"] == 1
    assert judge.answer(1, {0, 1})["number"] == 0


def test_contributions_are_shapley_values(monkeypatch):
    def answer(inputs):
        return {"predictions": 5 + inputs[MASK] @ [[1.0], [10.0]]}

    judge, asked = stub(monkeypatch, answer), ((1, set()), (0, set()), (1, {1}))
    found = [judge.contributions(*one) for one in asked]
    assert [x["values"] for x in found] == [[1, 10], [0, 10], [1, 0]]
    assert {x["base"] for x in found} == {5} and {x["of"] for x in found} == {None}


@pytest.mark.slow
def test_they_add_up_to_the_likeliest_probability(judge):
    for row, off in ((0, set()), (1, {0})):
        found = judge.contributions(row, off)
        answer = judge.answer(row, off)["probabilities"]
        best = max(answer, key=lambda one: one["value"])
        assert found["of"] == best["name"]
        whole = found["base"] + sum(found["values"])
        assert whole == pytest.approx(best["value"], rel=1e-5)
        for m in off:
            assert found["values"][m] == pytest.approx(0, abs=1e-6)


def test_of_classes_in_an_order_the_middle_is_named(monkeypatch):
    def plain(inputs):
        return {"probabilities": np.array([[0.4, 0.25, 0.35]] * len(inputs[MASK]))}

    def ordered(inputs):
        return plain(inputs) | {"median_class": np.ones(len(inputs[MASK]))}

    assert stub(monkeypatch, plain).answer(0, set())["named"] == "0"
    judge = stub(monkeypatch, ordered)
    assert judge.answer(0, set())["named"] == "1"
    assert judge.contributions(0, set())["of"] == "1"


def test_what_is_no_number_is_none(monkeypatch):
    judge = stub(monkeypatch, lambda inputs: {"probabilities": np.full((1, 2), np.nan)})
    found = judge.answer(0, set())
    assert found["uncertainty"] is None and "named" not in found
    assert [one["value"] for one in found["probabilities"]] == [None, None]


def pixels(judge, row=0):
    """The picture that the judge answers."""
    image = pytest.importorskip("PIL.Image")
    found = judge.answer(row, set())
    content = base64.b64decode(found["map"].partition(",")[2])
    return found, np.asarray(image.open(io.BytesIO(content)))


def test_a_map_is_a_picture_of_the_likeliest_classes(monkeypatch):
    scores = np.full((1, 2, 3, 2), 0.5)
    scores[0, 0, 1] = 0, 1
    judge = stub(monkeypatch, lambda inputs: {"probabilities": scores})
    found, picture = pixels(judge)
    assert found["colors"] == {"0": COLORS[0], "1": COLORS[1]}
    assert found["uncertainty"] == pytest.approx(5 / 6)
    assert picture.shape == (2, 3, 3) and picture[0, 1].tolist() == [0xE6, 0x9F, 0]
    assert not picture[1].any()
    assert judge.contributions(0, set()) is None


def test_a_map_of_one_class_is_its_probability(monkeypatch):
    scores = np.array([[0.0, 0.2], [0.5, 1.0]])[None, ..., None]
    judge = stub(monkeypatch, lambda inputs: {"probabilities": scores})
    found, picture = pixels(judge)
    assert found["colors"] == {}
    np.testing.assert_array_equal(picture, [[0, 51], [128, 255]])


def test_uncertainty_is_the_share_of_the_largest_entropy():
    assert uncertainty([0, 1, 0]) == 0
    assert uncertainty([1 / 3] * 3) == pytest.approx(1)
    p = np.array([0.7, 0.2, 0.1])
    assert uncertainty(p) == pytest.approx(-(p @ np.log2(p)) / np.log2(3))
    half = uncertainty([0.5, 1.0], several=True)  # of one label nothing, of one all
    assert half == pytest.approx(0.5)
    assert uncertainty([0.5]) == pytest.approx(1)
