"""What `keras-fusion show` takes for a model."""

import types

import pytest

from keras_fusion.cli import show

pytestmark = pytest.mark.only_on("torch", reason="no backend changes it")


@pytest.mark.parametrize("named", ["model.keras", "run", "export", "export/2"])
def test_files_runs_and_exports_are_models(tmp_path, named):
    for file in ("model.keras", "run/model.keras", "export/2/saved_model.pb"):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    found = show._model(types.SimpleNamespace(model=str(tmp_path / named)))
    assert found == tmp_path / (f"{named}/model.keras" if named == "run" else named)
