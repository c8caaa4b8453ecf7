import pytest

from keras_fusion.export import export
from tests.export.models import CLASS_NAMES, masked_model, samples

ABOUT = {"recipe": {"fusion": "Averaging"}, "metrics": {"accuracy": 0.5}}
WARMUP = (1, 2)


@pytest.fixture(scope="session")
def exported(tmp_path_factory):
    """The one real export, with all there is: the model and its folder of versions."""
    folder = tmp_path_factory.mktemp("export")
    model = masked_model()
    model.save(folder / "model.keras")
    made = export(
        folder / "model.keras",
        folder / "name",
        samples=samples(6),
        labels=CLASS_NAMES,
        formats=["onnx", "litert"],
        warmup_batches=WARMUP,
        about=ABOUT,
    )
    assert made == folder / "name" / "1"
    return model, folder / "name"
