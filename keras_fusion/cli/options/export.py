"""What `keras-fusion export` takes."""

from keras_fusion.cli.options import shared


def add_arguments(parser) -> None:
    """Adds what the command takes."""
    parser.add_argument(
        "model",
        help="a recipe or file that you have trained, or a .keras file",
    )
    shared.add_dataset(parser)
    shared.add_runs(parser)
    parser.add_argument(
        "--output", help="folder of the versions (default: saved_models/NAME)"
    )
    parser.add_argument(
        "--version", type=int, help="number of the version (default: the next one)"
    )
    parser.add_argument(
        "--samples",
        help="file with rows on which the export is compared with the model (default: "
        "rows that training kept)",
    )
    parser.add_argument(
        "--contributions",
        action="store_true",
        help="also give the signature contributions: the Shapley value of each "
        "modality in each output; a row costs as much as 2^M rows",
    )
    parser.add_argument(
        "--formats",
        nargs="+",
        default=(),
        metavar="FORMAT",
        help="formats to write beside the SavedModel: onnx, litert",
    )
    _add_batches(
        parser,
        "--warmup",
        "batch sizes for which the server warms up when it loads the model",
    )
    _add_batches(
        parser,
        "--xla",
        "batch sizes to compile with XLA; other batches are padded to them",
    )


def _add_batches(parser, option, words):
    parser.add_argument(
        option, type=int, nargs="+", default=(), metavar="ROWS", help=words
    )
