"""What `keras-fusion init` takes."""

from keras_fusion.cli.options import shared


def add_arguments(parser) -> None:
    """Adds what the command takes."""
    parser.add_argument("file", help="rows with labels: .csv, .tsv, .parquet or .npz")
    parser.add_argument(
        "--label",
        action=shared.Labels,
        help="column or array that holds the labels (default: y); repeat the option "
        "for several columns of true and false",
    )
    shared.add_task(parser)
    parser.add_argument(
        "--output", help="recipe to write (default: FILE.toml beside FILE)"
    )
