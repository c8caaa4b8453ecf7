"""What the study of nodes with several modalities feeds, and the page it writes."""

import json
import types

import numpy as np
import pytest

from benchmarks import node_page
from benchmarks.node_inputs import (
    MODALITIES,
    SparseDropout,
    principal_components,
    some_missing,
    three_modalities,
    words,
)
from benchmarks.node_page import merged, summary, tables
from benchmarks.node_stopping import ACCURACY, LOSS, BothAtTheirBest
from keras_fusion.experiments.reports.card import END
from keras_fusion.graphs import symmetric
from tests.conftest import assert_close

RNG = np.random.default_rng(0)
GRAPH = types.SimpleNamespace(
    inputs={"words": (RNG.random((300, 280)) < 0.05).astype("float32")},
    edge_index=symmetric(RNG.integers(0, 300, (2, 600))),
    labels=RNG.integers(0, 3, 300),
)


def test_three_modalities_of_every_node():
    found = three_modalities(GRAPH)
    assert tuple(found) == MODALITIES
    assert [x.shape for x in found.values()] == [(300, 256), (300, 256), (300, 40)]
    for x in found.values():
        assert np.square(x).sum(axis=1).mean() == pytest.approx(1, rel=1e-5)


def test_words_sum_to_one_and_their_components_keep_their_products():
    rows = words(GRAPH)
    assert_close(rows.sum(axis=1), np.ones(300, "float32"))
    kept = principal_components(rows, 280)
    np.testing.assert_allclose(kept @ kept.T, rows @ rows.T, atol=1e-5)


def test_one_modality_is_missing_at_three_nodes_in_ten():
    there = some_missing(10_000, seed=1)
    assert set(there.sum(axis=1)) == {2, 3}
    np.testing.assert_allclose((~there).mean(axis=0), 0.1, atol=0.01)
    assert np.array_equal(there, some_missing(10_000, seed=1))


def test_sparse_dropout_is_dropout():
    inputs = {"words": words(GRAPH)}
    graph = SparseDropout(inputs, GRAPH.edge_index, GRAPH.labels, rate=0.5, seed=0)
    draws = np.stack([graph[0][0]["words"].copy() for _ in range(200)])
    there = inputs["words"] > 0
    assert not draws[:, ~there].any()
    shares = draws[:, there] / inputs["words"][there]
    np.testing.assert_allclose(np.unique(shares.round(4)), [0, 2])
    assert shares.mean() == pytest.approx(1, abs=0.01)


def report(scores, **changes):
    origin = {"backend": "torch", "versions": {"keras": "3"}, "machine": "x86_64"}
    origin |= {"settings": {}, "commit": "abc", "date": "2026-01-01"} | changes
    scores = {
        key: [{"validation": v, "test": v} for v in values]
        for key, values in scores.items()
    }
    return {"summary": summary(scores), "scores": scores} | origin


ONE = report({"cora/words alone/gcn": [81.0, 82.0]})
TWO = report(
    {
        "cora/three modalities/concatenation": [80.0, 81.0],
        "cora/three modalities/place alone": [71.0, 73.0],
        "cora/words alone/gcn": [81.0],
    },
    date="2026-01-02",
)


def test_what_processes_shared_becomes_one():
    both = merged([TWO, ONE])
    assert len(both["scores"]["cora/words alone/gcn"]) == 2
    assert both["summary"]["cora/words alone/gcn"]["published"] == 81.5
    place = both["summary"]["cora/three modalities/place alone"]
    assert place["against concatenation"]["difference"] == -8.5
    assert both["commit"] == "abc" and both["date"] == "2026-01-01, 2026-01-02"


def test_other_versions_are_not_merged():
    with pytest.raises(ValueError, match="must agree in 'versions'"):
        merged([ONE, TWO | {"versions": {"keras": "4"}}])


def test_tables():
    page = tables(merged([TWO, ONE]))
    assert page.index("words alone") < page.index("three modalities")
    assert "| gcn | 81.5±0.7 (2) | 81.5 |" in page
    assert "| place alone | 72.0±1.4 (2) | -8.5 (-14.9 to -2.1) |" in page


def test_the_page_keeps_what_stands_around_its_tables(tmp_path, monkeypatch):
    page, results = tmp_path / "page.md", tmp_path / "results.json"
    page.write_text(f"before\n\n{node_page.BEGIN}\n\nold\n\n{END}\nafter\n")
    parts = [tmp_path / "1.json", tmp_path / "2.json"]
    for path, part in zip(parts, (ONE, TWO)):
        path.write_text(json.dumps(part))
    monkeypatch.setattr(node_page, "PAGE", page)
    monkeypatch.setattr(node_page, "RESULTS", results)
    monkeypatch.setattr("sys.argv", ["node_page", *map(str, parts)])
    node_page.main()
    text = page.read_text()
    assert text.startswith("before") and text.endswith("after\n") and "old" not in text
    assert "81.5±0.7" in text
    assert json.loads(results.read_text())["scores"].keys() == TWO["scores"].keys()


def test_training_ends_when_neither_loss_nor_accuracy_is_at_its_best():
    kept = []
    epochs = [(1.0, 0.5), (0.9, 0.6), (0.8, 0.5), (0.9, 0.7), (0.8, 0.7), (0.9, 0.6)]
    model = types.SimpleNamespace(get_weights=lambda: now, set_weights=kept.append)
    stopping = BothAtTheirBest(patience=2)
    stopping.set_model(model)
    stopping.on_train_begin()
    for now, (loss, accuracy) in enumerate([*epochs, (0.9, 0.6)]):
        stopping.on_epoch_end(now, {LOSS: loss, ACCURACY: accuracy})
        assert model.stop_training == (now == 6)
    stopping.on_train_end()
    assert kept == [4]
