"""A smoke run of the study of nodes, on a graph that is drawn."""

import json
import types

import numpy as np
import pytest

from benchmarks.node_classification import page, study
from keras_fusion.experiments.reports.card import END
from keras_fusion.graphs import symmetric

ALONE = {"fusion": study.ALONE}


def graph(nodes=300):
    rng = np.random.default_rng(0)
    labels = np.arange(nodes) % 3
    words = rng.random((nodes, 280)) < 0.05
    words[np.arange(nodes), labels] = True
    part = np.arange(nodes) % 4
    return types.SimpleNamespace(
        inputs={"words": words.astype("float32")},
        edge_index=symmetric(rng.integers(0, nodes, (2, 600))),
        labels=labels,
        train=part < 2,
        validation=part == 2,
        test=part == 3,
    )


@pytest.mark.only_on("torch", reason="no backend changes it")
@pytest.mark.slow
def test_two_seeds_are_trained_and_the_page_shows_them(tmp_path, monkeypatch):
    results, readme = tmp_path / "results.json", tmp_path / "README.md"
    readme.write_text(f"before\n\n{page.BEGIN}\n\nold\n\n{END}\nafter\n")
    ways = [
        ("words alone", "gcn", study.WORDS["gcn"] | {"graph": "gcn"} | ALONE),
        ("three modalities", "concatenation", study.FUSED | ALONE),
    ]
    ways = [("cora", *key, way | {"epochs": 20}) for *key, way in ways]
    monkeypatch.setattr(study, "runs", lambda: iter(ways))
    monkeypatch.setattr(study, "load_graph", lambda name: graph())
    run = ["study", "--seeds", "2", "--results", str(results)]
    monkeypatch.setattr("sys.argv", run)
    study.main()
    scores = json.loads(results.read_text())["scores"]
    assert [len(values) for values in scores.values()] == [2, 2]
    assert scores["cora/words alone/gcn"][0]["test"] > 40  # a third by chance

    monkeypatch.setattr(page, "PAGE", readme)
    monkeypatch.setattr(page, "RESULTS", results)
    monkeypatch.setattr("sys.argv", ["page"])
    page.main()
    text = readme.read_text()
    assert text.startswith("before") and text.endswith("after\n") and "old" not in text
    assert "| concatenation | " in text
