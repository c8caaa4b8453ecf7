"""What `keras-fusion panel` takes."""

from keras_fusion.cli.options import shared


def add_arguments(parser) -> None:
    """Adds what the command takes."""
    parser.add_argument(
        "recipe", help="name, folder or .toml file of a recipe for segmentation"
    )
    shared.add_dataset(parser)
    parser.add_argument(
        "--row", type=int, default=0, help="number of the frame in the test set"
    )
    parser.add_argument(
        "--point",
        type=int,
        nargs=2,
        default=(0, 0),
        metavar=("Y", "X"),
        help="pixel whose affinities are drawn",
    )
    shared.add_runs(parser)
    parser.add_argument("--output", help="file to write; RECIPE.png if left out")
