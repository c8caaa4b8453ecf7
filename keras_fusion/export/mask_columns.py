"""Says in the signatures which column of the mask is which modality.

A signature knows its inputs by name, in no order, so a client could not tell. The last
axis of `modality_mask` gets the modalities' names, joined by commas, as its own name:
TensorFlow Serving hands a signature on as it stands, and TensorFlow reads no such name.
"""

from pathlib import Path

from keras_fusion.names import MASK


def name_mask_columns(folder: str | Path, modalities: list[str]) -> None:
    """Rewrites `saved_model.pb`, in a folder that nobody serves yet.

    Args:
        folder: A SavedModel; without a signature that takes a mask nothing changes.
        modalities: The names in the order of the mask's columns.
    """
    from tensorflow.core.protobuf import saved_model_pb2

    file = Path(folder) / "saved_model.pb"
    saved = saved_model_pb2.SavedModel.FromString(file.read_bytes())
    for graph in saved.meta_graphs:
        for signature in graph.signature_def.values():
            if MASK in signature.inputs:
                axes = signature.inputs[MASK].tensor_shape.dim
                axes[-1].name = ",".join(modalities)
    file.write_bytes(saved.SerializeToString())
