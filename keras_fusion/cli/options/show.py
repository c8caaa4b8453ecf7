"""What `keras-fusion show` takes."""

from keras_fusion.cli.options import shared


def add_arguments(parser) -> None:
    """Adds what the command takes."""
    parser.add_argument(
        "model",
        help="a recipe or file that you have trained, the folder of a run, a .keras "
        "file, or an export",
    )
    shared.add_dataset(parser)
    shared.add_runs(parser)
    parser.add_argument(
        "--rows",
        metavar="FILE",
        help="file with rows to show (default: rows that training kept)",
    )
    parser.add_argument(
        "--port", type=int, default=8502, help="port; 0 takes a free one"
    )
