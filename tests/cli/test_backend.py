import logging

import pytest

from keras_fusion.cli import backend

ADVICE = "tf.function retracing. Tracing is expensive"


@pytest.mark.only_on("tensorflow", reason="it is TensorFlow that speaks")
def test_advice_on_tracing_is_hidden_and_nothing_else(monkeypatch):
    logger = logging.getLogger("tensorflow")
    monkeypatch.setattr(logger, "filters", [])
    backend.silence_others()
    said = []
    handler = logging.Handler()
    handler.emit = lambda record: said.append(record.getMessage())
    logger.addHandler(handler)
    try:
        logger.warning("5 out of the last 9 calls to %s triggered %s", "f", ADVICE)
        logger.warning("a GPU was not found")
    finally:
        logger.removeHandler(handler)
    assert said == ["a GPU was not found"]
