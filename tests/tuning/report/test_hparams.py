"""TensorBoard's own reader finds what was written, whatever the backend."""

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import metadata, plugin_data_pb2

from keras_fusion.tuning import write_hparams
from tests.tuning.samples import failed, trial


def test_values_and_curves_can_be_read(tmp_path):
    trials = [trial(0, "Summation", 0.5), trial(1, "ModalityAttention", 0.75)]
    (tmp_path / "logs" / ".trial-0001").mkdir(parents=True)  # left by a kill
    (tmp_path / "logs" / ".trial-0001" / "events.half").touch()
    folder = write_hparams([*trials, failed(2)], tmp_path / "logs")
    assert sorted(p.name for p in folder.iterdir()) == ["trial-0000", "trial-0001"]
    write_hparams(trials, folder)
    read = EventAccumulator(str(folder / "trial-0001"))
    read.Reload()
    scores = [(e.step, e.value) for e in read.Scalars("validation")]
    assert scores == [(1, 0.1875), (2, 0.375), (3, 0.5625), (4, 0.75)]
    (content,) = read.PluginTagToContent(metadata.PLUGIN_NAME).values()
    start = plugin_data_pb2.HParamsPluginData.FromString(content).session_start_info
    assert start.hparams["ModalityAttention.readout"].string_value == "query"
    assert start.hparams["units"].number_value == 8
    assert start.group_name == "trial-0001"
