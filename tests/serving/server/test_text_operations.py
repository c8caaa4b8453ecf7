"""A SavedModel with a tokenizer of TensorFlow Text loads in a process without it."""

import sys
import types

import pytest
import tensorflow as tf

from keras_fusion.serving.server import servable


def test_the_operations_are_loaded_where_a_model_has_some(monkeypatch):
    said = iter([RuntimeError("Op type not registered 'Tokenize'"), None])

    def load(folder, tags):
        error = next(said)
        if error is not None:
            raise error
        return folder

    monkeypatch.setattr(tf.saved_model, "load", load)
    monkeypatch.setitem(sys.modules, "tensorflow_text", types.ModuleType("text"))
    assert servable._loaded("here") == "here"


def test_another_fault_is_said(monkeypatch):
    def load(folder, tags):
        raise RuntimeError("no whole SavedModel")

    monkeypatch.setattr(tf.saved_model, "load", load)
    with pytest.raises(RuntimeError, match="no whole"):
        servable._loaded("here")
