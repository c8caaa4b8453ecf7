"""What `keras-fusion evaluate` takes."""

from keras_fusion.cli.options import shared


def add_arguments(parser) -> None:
    """Adds what the command takes."""
    shared.add_recipe(parser)
    shared.add_training(parser)
    parser.add_argument(
        "--leave-out",
        action="store_true",
        help="for each modality, also train a model from scratch that never sees it",
    )
    parser.add_argument(
        "--corrupt",
        action="store_true",
        help="also judge with inputs that lie: noise, another sample or zeros take the "
        "place of a modality, while the mask says that it is there",
    )
    parser.add_argument(
        "--on",
        choices=("test", "validation"),
        default="test",
        help="rows to judge on; choose by validation, and use test once in the end",
    )
    parser.add_argument(
        "--publish",
        action="store_true",
        help="write results, weights and card into the recipe's folder",
    )
